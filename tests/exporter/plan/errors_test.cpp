#include "tests/exporter/plan/fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

using namespace sonde::exporter;
using sonde::exporter::test::PlanFiles;

TEST_CASE("errors in a module or the defaults are reported once, at their own line") {
    PlanFiles files;
    CHECK(files.errors_of(R"([defaults]
read = "some"
sttus = "2xx"
name = "x"
[modules.used]
interval = "soon"
tls.ca_file = "/nowhere.pem"
[modules.unused]
redirects = "no"
colour = 1
[modules.asking]
kind = "ask"
query = 5
[modules.nested]
module = "used"
[modules.odd]
kind = "aks"
[[target]]
name = "a"
url = "http://a/"
module = "used"
[[target]]
name = "b"
url = "http://b/"
module = "used"
status = "404"
)") == "sonde.toml:2: defaults.read: must be one of \"all\", \"until_decided\", not \"some\"\n"
       "sonde.toml:3: defaults.sttus: unknown key, did you mean \"status\"?\n"
       "sonde.toml:4: defaults.name: belongs to a [[target]] only\n"
       "sonde.toml:6: modules.used.interval: must be a duration such as \"500ms\", \"30s\" or "
       "\"1m30s\", not "
       "\"soon\"\n"
       "sonde.toml:7: modules.used.tls.ca_file: cannot read \"/nowhere.pem\": No such file or "
       "directory\n"
       "sonde.toml:9: modules.unused.redirects: must be true or false, not a string\n"
       "sonde.toml:10: modules.unused.colour: unknown key; known here: confirm, "
       "failures_to_down, headers, interval, kind, labels, read, redirects, status, "
       "successes_to_up, timeout, tls\n"
       "sonde.toml:13: modules.asking.query: must be a string, not an integer\n"
       "sonde.toml:15: modules.nested.module: a module cannot use another module\n"
       "sonde.toml:17: modules.odd.kind: unknown kind \"aks\", did you mean \"ask\"?\n");
}

TEST_CASE("a module may leave to its targets what must be given") {
    PlanFiles files;
    CHECK(files.errors_of(
              "[modules.m]\nkind = \"ask\"\n[[target]]\nname = \"a\"\nurl = \"a\"\nmodule = \"m\"\n"
              "query = \"?\"\n") == "");
    CHECK(files.errors_of("[modules.m]\nkind = \"ask\"\n[[target]]\nname = \"a\"\nurl = "
                          "\"a\"\nmodule = \"m\"\n") ==
          "sonde.toml:3: target.a.query: must be given\n");
}

TEST_CASE("right keys that do not fit together are reported where they stand, though inherited") {
    PlanFiles files;
    files.write("ca.pem", "PEM");
    CHECK(files.errors_of("[modules.m]\ntls.server_name = \"forbidden\"\n"
                          "[[target]]\nname = \"a\"\nurl = \"http://a/\"\nmodule = "
                          "\"m\"\ntls.ca_file = \"ca.pem\"\n") ==
          "sonde.toml:2: modules.m.tls.server_name: does not go with ca_file\n");
}

TEST_CASE("beside a wrong url or an unknown module the other mistakes are reported too") {
    PlanFiles files;
    CHECK(files.errors_of(R"([modules.m]
query = "?"
[[target]]
name = "good"
url = "ask://a/"
module = "m"
[[target]]
name = "path"
url = "ask://a/path"
module = "m"
staus = 1
[[target]]
name = "scheme"
url = "aks://a/"
module = "m"
labels = [1]
red = "x"
[[target]]
name = "none"
kind = "ask"
query = 5
[[target]]
name = "kind"
url = "a"
kind = "aks"
read = "some"
[[target]]
name = "module"
url = "http://a/"
module = "n"
read = "some"
)") == "sonde.toml:9: target.path.url: must have no path\n"
       "sonde.toml:11: target.path.staus: unknown key; known here: confirm, failures_to_down, "
       "interval, kind, labels, module, name, query, successes_to_up, timeout, url\n"
       "sonde.toml:14: target.scheme.url: unknown url scheme \"aks\", did you mean \"ask\"?\n"
       "sonde.toml:16: target.scheme.labels: must be a table, not a list\n"
       "sonde.toml:17: target.scheme.red: unknown key, did you mean \"read\"?\n"
       "sonde.toml:18: target.none: a target needs a url\n"
       "sonde.toml:21: target.none.query: must be a string, not an integer\n"
       "sonde.toml:25: target.kind.kind: unknown kind \"aks\", did you mean \"ask\"?\n"
       "sonde.toml:26: target.kind.read: must be one of \"all\", \"until_decided\", not \"some\"\n"
       "sonde.toml:30: target.module.module: unknown module \"n\"; known: m\n"
       "sonde.toml:31: target.module.read: must be one of \"all\", \"until_decided\", not "
       "\"some\"\n");
}

TEST_CASE("nothing is said of what a target of an unknown module may inherit from it") {
    PlanFiles files;
    CHECK(files.errors_of("[modules.m]\ninterval = \"5m\"\nquery = \"?\"\nkind = \"ask\"\n"
                          "[[target]]\nname = \"a\"\nurl = \"ask://a/\"\nmodule = \"mm\"\n"
                          "timeout = \"2m\"\n") ==
          "sonde.toml:8: target.a.module: unknown module \"mm\", did you mean \"m\"?\n");
}

TEST_CASE("every target with the same mistake is named") {
    PlanFiles files;
    CHECK(files.errors_of("[[target]]\nname = \"a\"\nurl = \"http://a/\"\nstaus = 1\n"
                          "[[target]]\nname = \"b\"\nurl = \"http://b/\"\nstaus = 1\n") ==
          "sonde.toml:4: target.a.staus: unknown key, did you mean \"status\"?\n"
          "sonde.toml:8: target.b.staus: unknown key, did you mean \"status\"?\n");
}

TEST_CASE("all errors of all files are told at once, syntax errors too") {
    PlanFiles files;
    files.write("sonde.toml",
                "[engine]\ntargets_dir = \"targets.d\"\nworkers = -1\n[[target]]\nname = "
                "\"x\"\nurl = \"ftp://x/\"\n");
    files.write("targets.d/a.toml",
                "[[target]]\nname = \"x\"\n[server]\n[modules.m]\nmodule = \"m\"\n");
    files.write("targets.d/b.toml", "[[target]\n");
    files.write("targets.d/c.toml",
                "[[target]]\nname = \"y\"\nurl = \"http://y/\"\nmodule = \"n\"\n");
    std::filesystem::create_directories(files.path() / "targets.d/d.toml");
    const std::string errors = files.errors(files.load());
    CHECK(errors.find("sonde.toml:3: engine.workers: must be between 0 and 1024\n") !=
          std::string::npos);
    CHECK(errors.find(
              "sonde.toml:6: target.x.url: unknown url scheme \"ftp\", did you mean \"http\"?\n") !=
          std::string::npos);
    CHECK(errors.find("targets.d/a.toml:1: target.x: a target needs a url\n") != std::string::npos);
    CHECK(errors.find("targets.d/a.toml:3: server: belongs to the config file; a file of "
                      "targets_dir holds [[target]] "
                      "and [modules] only\n") != std::string::npos);
    CHECK(
        errors.find("targets.d/a.toml:5: modules.m.module: a module cannot use another module\n") !=
        std::string::npos);
    CHECK(errors.find("targets.d/b.toml:1: not valid TOML: ") != std::string::npos);
    CHECK(errors.find("targets.d/c.toml:4: target.y.module: unknown module \"n\"; known: m\n") !=
          std::string::npos);
    CHECK(errors.find("targets.d/d.toml: cannot read this file: Is a directory\n") !=
          std::string::npos);
    CHECK(std::count(errors.begin(), errors.end(), '\n') == 8);
}

TEST_CASE("names that are used twice are reported with both places") {
    PlanFiles files;
    files.write("sonde.toml",
                "[engine]\ntargets_dir = \"targets.d\"\n[modules.m]\n[[target]]\nname = \"x\"\nurl "
                "= \"http://x/\"\n");
    files.write("targets.d/a.toml",
                "[modules.m]\n[[target]]\nurl = \"http://y/\"\n[[target]]\nname = \"x\"\nurl = "
                "\"http://z/\"\n"
                "[[target]]\nname = \"http://y/\"\nurl = \"http://w/\"\n");
    CHECK(files.errors(files.load()) ==
          "targets.d/a.toml:1: modules.m: a module of this name is already at sonde.toml:3\n"
          "targets.d/a.toml:4: target.x.name: this name is used already, at sonde.toml:4\n"
          "targets.d/a.toml:7: target.\"http://y/\".name: this name is used already, at "
          "targets.d/a.toml:2\n");
}

TEST_CASE("a config file or directory that is not there is a clear error") {
    PlanFiles files;
    const LoadResult none = files.load();
    CHECK_FALSE(none.plan);
    CHECK(files.errors(none) == "sonde.toml: cannot read this file: No such file or directory\n");
    CHECK(none.watch == std::vector<std::string>{(files.path() / "sonde.toml").string()});
    files.write("sonde.toml", "[engine]\ntargets_dir = \"absent\"\n");
    const LoadResult result = files.load();
    CHECK(files.errors(result) ==
          "sonde.toml:2: engine.targets_dir: cannot read absent: No such file or directory\n");
    CHECK(std::count(
              result.watch.begin(), result.watch.end(), (files.path() / "absent").string()) == 1);
}
