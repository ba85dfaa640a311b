# Thin names for the scripts; everything is in scripts/.
.PHONY: run test lint ci bench package clean
run test lint bench package:
	scripts/$@
ci:
	.ci/run
clean:
	rm -rf build dist
