// A blocking HTTP client on a bare socket, for tests of the server: it sends bytes exactly as told,
// and can be as slow, greedy or rude as a test needs. Every wait ends after ten seconds.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sonde::exporter::test {

class HttpClient {
public:
    struct Answer {
        int status = 0;      // 0: the connection ended before a whole answer
        std::string header;  // status line and fields, lower case
        std::string body;    // with its chunks joined
        bool complete = false;
        [[nodiscard]] std::string field(std::string_view lower_case_name) const;
    };

    /// Connects to what HttpServer::listen returned. `receive_buffer`: SO_RCVBUF, 0 leaves it.
    explicit HttpClient(const std::string& address, int receive_buffer = 0);
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;
    ~HttpClient();

    /// False: the server closed.
    bool send(std::string_view bytes);
    /// Reads one answer; `head`: it has no body whatever its fields say.
    Answer receive(bool head = false);
    Answer get(std::string_view target, std::string_view more_fields = {});
    /// Reads until the server closes; true when it did so within the time limit.
    bool at_end();
    void close();
    /// Closes with a reset instead of a FIN.
    void reset();
    /// Reads at least `count` bytes and drops them.
    bool skip(std::size_t count);

private:
    bool fill();
    std::string take(std::size_t count);
    std::string take_line();

    int socket_ = -1;
    std::string held_;
    bool ended_ = false;
};

}  // namespace sonde::exporter::test
