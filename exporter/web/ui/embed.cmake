# Writes the files of this folder into a C++ source: cmake -DFOLDER=<this folder> -DOUTPUT=<file> -P embed.cmake
function(embed variable file)
    file(READ ${FOLDER}/${file} hex HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
    string(APPEND source
        "static constexpr unsigned char ${variable}_bytes[] = {\n${bytes}\n};\n"
        "const std::string_view ${variable}(reinterpret_cast<const char*>(${variable}_bytes), sizeof ${variable}_bytes);\n")
    set(source "${source}" PARENT_SCOPE)
endfunction()

set(source "#include \"exporter/web/ui/assets.hpp\"\n\nnamespace sonde::exporter::ui {\n\n")
embed(landing_page index.html)
embed(probe_style probe.css)
embed(icon icon.svg)
string(APPEND source "\n}  // namespace sonde::exporter::ui\n")
file(WRITE ${OUTPUT} "${source}")
