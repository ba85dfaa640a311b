#include "tests/config/table_fixture.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

using namespace sonde::config;
using sonde::config::test::Documents;

TEST_CASE("a text may come from a file or the environment, and is then a secret") {
    const sonde::tests::TempDir directory;
    directory.write("token", "s3cret\n");
    directory.write("two", "line\n\n");
    directory.write("dos", "line\r\n");
    directory.write("bare", "bare");
    Documents documents{directory.path().string()};
    Table table = documents.table(R"(
plain = "open"
file = { file = "token" }
two = { file = "./two" }
dos = { file = "dos" }
bare = { file = "bare" }
env = { env = "SET" }
)");
    const auto read = [&](std::string_view key) {
        Text text;
        CHECK(table.read({key, ""}, text));
        return text;
    };
    CHECK(read("plain") == Text::plain("open"));
    CHECK(read("file") == Text::secret("s3cret"));
    CHECK(read("two") == Text::secret("line\n"));
    CHECK(read("dos") == Text::secret("line"));
    CHECK(read("bare") == Text::secret("bare"));
    CHECK(read("env") == Text::secret("from-env"));
    CHECK(read("file").show() == "<secret>");
    CHECK(documents.diagnostics.text() == "");
    const std::set<std::string> used = documents.inputs.take_used();
    CHECK(used.size() == 4);
    CHECK(used.contains((directory.path() / "token").string()));
    CHECK(documents.inputs.take_used().empty());
}

TEST_CASE("a secret that cannot be had is an error that names where it should be") {
    const sonde::tests::TempDir directory;
    std::filesystem::create_directories(directory.path() / "directory");
    Documents documents{directory.path().string()};
    Table table = documents.table(R"(missing = { file = "/nowhere/token" }
unset = { env = "UNSET" }
both = { env = "SET", file = "x" }
other = { vault = "x" }
number = 5
folder = { file = "directory" }
[map]
a = { env = "UNSET" }
b = [1]
)");
    Text text;
    std::map<std::string, Text> map;
    for (const std::string_view key : {"missing", "unset", "both", "other", "number", "folder"}) {
        CHECK_FALSE(table.read({key, ""}, text));
    }
    CHECK_FALSE(table.read({"map", ""}, map));
    CHECK(documents.diagnostics.text() ==
          "t.toml:1: t.missing: cannot read the secret file \"/nowhere/token\": No such file or "
          "directory\n"
          "t.toml:2: t.unset: the environment variable \"UNSET\" is not set\n"
          "t.toml:3: t.both: a secret must be { file = \"path\" } or { env = \"NAME\" } and "
          "nothing else\n"
          "t.toml:4: t.other: a secret must be { file = \"path\" } or { env = \"NAME\" } and "
          "nothing else\n"
          "t.toml:5: t.number: must be a string, { file = \"path\" } or { env = \"NAME\" }, not an "
          "integer\n"
          "t.toml:6: t.folder: cannot read the secret file \"" +
              (directory.path() / "directory").string() +
              "\": Is a directory\n"
              "t.toml:8: t.map.a: the environment variable \"UNSET\" is not set\n"
              "t.toml:9: t.map.b: must be a string, { file = \"path\" } or { env = \"NAME\" }, not "
              "a list\n");
}

TEST_CASE("a map may mix plain texts and secrets, over layers") {
    Documents documents;
    Table table{documents.context,
                {documents.layer("target", "headers = { A = { env = 'SET' } }\n"),
                 documents.layer("module", "headers = { A = { env = 'UNSET' }, B = 'b' }\n")}};
    std::map<std::string, Text> headers;
    CHECK(table.read({"headers", ""}, headers));
    CHECK(headers ==
          std::map<std::string, Text>{{"A", Text::secret("from-env")}, {"B", Text::plain("b")}});
    CHECK(documents.diagnostics.text() == "");
}

TEST_CASE("where case makes no difference, names are merged, removed and refused without it") {
    Documents documents;
    Table table{
        documents.context,
        {documents.layer("target", "headers = { authorization = 'b', X-ENV = false, New = 'n' }\n"),
         documents.layer("module",
                         "headers = { Authorization = 'a', X-Env = 'e', Kept = 'k' }\n")}};
    std::map<std::string, Text> headers;
    CHECK(table.read({"headers", ""}, headers, Names::any_case));
    CHECK(headers == std::map<std::string, Text>{{"authorization", Text::plain("b")},
                                                 {"Kept", Text::plain("k")},
                                                 {"New", Text::plain("n")}});
    Table twice = documents.table("headers = { X-Env = 'a', y = 'y', x-env = false }\n");
    CHECK(twice.read({"headers", ""}, headers));
    CHECK(documents.diagnostics.text() == "");
    CHECK_FALSE(twice.read({"headers", ""}, headers, Names::any_case));
    CHECK(documents.diagnostics.text() ==
          "t.toml:1: t.headers.x-env: is the same as \"X-Env\", as case makes no difference\n");
}

TEST_CASE("a file is read against the directory of the document that names it") {
    const sonde::tests::TempDir directory;
    const std::string path = directory.write("ca/root.pem", "PEM").string();
    Documents documents{directory.path().string()};
    Table table = documents.table("ca = 'ca/root.pem'\nnone = 'none.pem'\nlist = ['x']\n");
    Text file;
    std::string content;
    CHECK(table.read_file({"ca", ""}, file, content));
    CHECK(file == Text::plain(path));
    CHECK(content == "PEM");
    CHECK_FALSE(table.read_file({"none", ""}, file, content));
    CHECK_FALSE(table.read_file({"list", ""}, file, content));
    CHECK(content == "PEM");
    CHECK(documents.diagnostics.text() == "t.toml:2: t.none: cannot read \"" +
                                              (directory.path() / "none.pem").string() +
                                              "\": No such file or directory\n"
                                              "t.toml:3: t.list: must be a string, { file = "
                                              "\"path\" } or { env = \"NAME\" }, not a list\n");
}

TEST_CASE("the path of a file may be a secret, which no error repeats") {
    const sonde::tests::TempDir directory;
    const std::string path = directory.write("ca/root.pem", "PEM").string();
    directory.write("good", "ca/root.pem\n");
    directory.write("bad", "ca/hidden.pem\n");
    Documents documents{directory.path().string()};
    Table table = documents.table(
        "ca = { file = 'good' }\nnone = { file = 'bad' }\nunset = { env = 'UNSET' }\n");
    Text file;
    std::string content;
    CHECK(table.read_file({"ca", ""}, file, content));
    CHECK(file == Text::secret(path));
    CHECK(content == "PEM");
    CHECK(documents.inputs.take_used().contains(path));
    CHECK_FALSE(table.read_file({"none", ""}, file, content));
    CHECK_FALSE(table.read_file({"unset", ""}, file, content));
    CHECK(documents.diagnostics.text() ==
          "t.toml:2: t.none: cannot read the file that the secret names: No such file or "
          "directory\n"
          "t.toml:3: t.unset: the environment variable \"UNSET\" is not set\n");
}

TEST_CASE("within one load a file is read once") {
    const sonde::tests::TempDir directory;
    const std::string path = directory.write("token", "before").string();
    Inputs inputs;
    CHECK(inputs.file(path).bytes == "before");
    directory.write("token", "after");
    CHECK(inputs.file(path).bytes == "before");
    CHECK(Inputs{}.file(path).bytes == "after");
}

TEST_CASE("files that have no end or are too large are refused") {
    const sonde::tests::TempDir directory;
    CHECK(read_whole_file("/dev/zero", 1000).error == "Not a regular file");
    CHECK(read_whole_file(directory.write("large", std::string(1001, 'x')).string(), 1000).error ==
          "File too large");
    CHECK(read_whole_file(directory.write("fits", std::string(1000, 'x')).string(), 1000).bytes ==
          std::string(1000, 'x'));
    CHECK(read_whole_file(directory.write("empty", "").string(), 1000).bytes == "");
}

TEST_CASE("a file that says it is larger than memory is an error at the key that names it") {
    const sonde::tests::TempDir directory;
    const std::filesystem::path endless = directory.write("endless.pem", "");
    std::filesystem::resize_file(endless, std::uintmax_t{1} << 42U);
    Documents documents{directory.path().string()};
    Table table = documents.table("ca = 'endless.pem'\n");
    Text file;
    std::string content;
    CHECK_FALSE(table.read_file({"ca", ""}, file, content));
    CHECK(documents.diagnostics.text() ==
          "t.toml:1: t.ca: cannot read \"" + endless.string() + "\": File too large\n");
}
