// The list behind the landing page: query parameters, filters, counts, order, paging, JSON.
#include "exporter/web/target_list.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace sonde::exporter;
using sonde::probes::Failure;

namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

MetricStore::State up(std::string name, double rtt = 0.1, double status = 200) {
    MetricStore::State state;
    state.name = std::move(name);
    state.url = "https://" + state.name + ".example/";
    state.kind = "http";
    state.success = true;
    state.rtt_seconds = rtt;
    state.status_code = status;
    state.last_check_unix = 1'700'000'000 + rtt;
    state.interval_seconds = 30;
    state.successes = 9;
    return state;
}

MetricStore::State down(std::string name, Failure failure) {
    auto state = up(std::move(name));
    state.success = false;
    state.failure = failure;
    state.detail = "it failed";
    state.rtt_seconds.reset();
    state.status_code.reset();
    state.failures = 3;
    return state;
}

MetricStore::State waiting(std::string name) {
    MetricStore::State state;
    state.name = std::move(name);
    state.interval_seconds = 300;
    return state;
}

TargetQuery query(Parameters parameters) {
    HttpRequest request;
    request.query = std::move(parameters);
    std::string error;
    const auto parsed = parse_target_query(request, error);
    REQUIRE_MESSAGE(parsed, error);
    return *parsed;
}

std::string error_of(Parameters parameters) {
    HttpRequest request;
    request.query = std::move(parameters);
    std::string error;
    CHECK_FALSE(parse_target_query(request, error));
    return error;
}

boost::json::value list(const std::vector<MetricStore::State>& states, Parameters parameters = {}) {
    TargetList targets(query(std::move(parameters)));
    for (const auto& state : states) {
        targets.add(state);
    }
    return boost::json::parse(std::move(targets).to_json("1.2.3", 1'700'000'100.5));
}

/// The names in order, joined by spaces.
std::string names(const std::vector<MetricStore::State>& states, Parameters parameters = {}) {
    std::string joined;
    const auto json = list(states, std::move(parameters));
    for (const auto& target : json.at("targets").as_array()) {
        joined += (joined.empty() ? "" : " ") + std::string(target.at("name").as_string().c_str());
    }
    return joined;
}

double number(const boost::json::value& value, std::string_view member) {
    return value.at(member).to_number<double>();
}

const std::vector<MetricStore::State>& fleet() {
    static const std::vector<MetricStore::State> states = {
        up("b-shop", 0.3, 200),
        down("c-api", Failure::timeout),
        waiting("d-new"),
        up("A-blog", 0.02, 301),
        down("e-mail", Failure::connect_refused),
        down("f-docs", Failure::timeout),
    };
    return states;
}

}  // namespace

TEST_CASE("a target list counts states and reasons and gives every fact of a target") {
    auto labelled = up("shop");
    labelled.module = "api";
    labelled.labels = {{"region", "eu"}, {"team", "web"}};
    const auto json = list({labelled, down("api", Failure::timeout), waiting("new")});
    CHECK(json.at("version") == "1.2.3");
    CHECK(number(json, "now") == 1'700'000'100.5);
    CHECK(number(json, "total") == 3);
    CHECK(number(json, "matched") == 3);
    CHECK(number(json, "up") == 1);
    CHECK(number(json, "down") == 1);
    CHECK(number(json, "waiting") == 1);
    CHECK(json.at("reasons").as_object().size() == 1);
    CHECK(number(json.at("reasons"), "timeout") == 1);

    const auto& targets = json.at("targets").as_array();
    REQUIRE(targets.size() == 3);
    CHECK(targets[0].at("state") == "down");
    CHECK(targets[0].at("reason") == "timeout");
    CHECK(targets[0].at("detail") == "it failed");
    CHECK(targets[0].at("rtt").is_null());
    CHECK(targets[1].at("state") == "waiting");
    CHECK(targets[1].at("last_check").is_null());
    const auto& shop = targets[2];
    CHECK(shop.at("name") == "shop");
    CHECK(shop.at("url") == "https://shop.example/");
    CHECK(shop.at("kind") == "http");
    CHECK(shop.at("module") == "api");
    CHECK(shop.at("state") == "up");
    CHECK(shop.at("reason") == "");
    CHECK(number(shop, "status") == 200);
    CHECK(number(shop, "rtt") == 0.1);
    CHECK(number(shop, "last_check") == 1'700'000'000.1);
    CHECK(number(shop, "interval") == 30);
    CHECK(number(shop, "successes") == 9);
    CHECK(shop.at("labels").as_object().size() == 2);
    CHECK(shop.at("labels").at("team") == "web");
}

TEST_CASE("targets come down first, then waiting, then up, by name among equals") {
    CHECK(names(fleet()) == "c-api e-mail f-docs d-new A-blog b-shop");
    CHECK(names(fleet(), {{"order", "desc"}}) == "A-blog b-shop d-new c-api e-mail f-docs");
}

TEST_CASE("each column sorts both ways, with empty cells last") {
    CHECK(names(fleet(), {{"sort", "name"}}) == "A-blog b-shop c-api d-new e-mail f-docs");
    CHECK(names(fleet(), {{"sort", "name"}, {"order", "desc"}}) ==
          "f-docs e-mail d-new c-api b-shop A-blog");
    CHECK(names(fleet(), {{"sort", "rtt"}}) == "A-blog b-shop c-api d-new e-mail f-docs");
    CHECK(names(fleet(), {{"sort", "rtt"}, {"order", "desc"}}) ==
          "b-shop A-blog c-api d-new e-mail f-docs");
    CHECK(names(fleet(), {{"sort", "status"}, {"order", "desc"}}) ==
          "A-blog b-shop c-api d-new e-mail f-docs");
    CHECK(names(fleet(), {{"sort", "interval"}, {"order", "desc"}}).starts_with("d-new A-blog"));
    CHECK(names(fleet(), {{"sort", "success_rate"}}) == "c-api e-mail f-docs A-blog b-shop d-new");
    CHECK(names(fleet(), {{"sort", "reason"}}) == "e-mail c-api f-docs A-blog b-shop d-new");
    CHECK(names(fleet(), {{"sort", "reason"}, {"order", "desc"}}) ==
          "c-api f-docs e-mail A-blog b-shop d-new");
    CHECK(names(fleet(), {{"sort", "last_check"}, {"order", "desc"}}).starts_with("b-shop"));
    CHECK(names(fleet(), {{"sort", "last_check"}, {"order", "desc"}}).ends_with("d-new"));
}

TEST_CASE("every word of a search is in name, url or a label value, in any case") {
    auto labelled = up("Checkout");
    labelled.labels = {{"team", "Payments"}};
    auto states = fleet();
    states.push_back(labelled);
    CHECK(names(states, {{"q", "CHECK"}}) == "Checkout");
    CHECK(names(states, {{"q", "payments  checkout "}}) == "Checkout");
    CHECK(names(states, {{"q", "payments shop"}}).empty());
    CHECK(names(states, {{"q", "f-docs.example"}}) == "f-docs");
    CHECK(names(states, {{"q", "team"}}).empty());  // a label's name
    CHECK(names(states, {{"q", "  "}}).size() > 40);
    const auto json = list(states, {{"q", "d"}, {"state", "waiting"}});
    CHECK(number(json, "total") == 7);
    CHECK(number(json, "matched") == 1);
    CHECK(number(json, "down") == 1);  // what the filter "down" would find: f-docs
}

TEST_CASE("filters by state and by reason") {
    CHECK(names(fleet(), {{"state", "up"}}) == "A-blog b-shop");
    CHECK(names(fleet(), {{"state", "waiting"}}) == "d-new");
    CHECK(names(fleet(), {{"reason", "timeout"}}) == "c-api f-docs");
    CHECK(names(fleet(), {{"reason", "timeout"}, {"state", "up"}}).empty());
    const auto json = list(fleet(), {{"reason", "timeout"}});
    CHECK(number(json, "matched") == 2);
    CHECK(number(json, "down") == 3);
    CHECK(number(json.at("reasons"), "connect_refused") == 1);
}

TEST_CASE("pages are cut from the order, whatever order targets come in") {
    std::vector<MetricStore::State> states;
    for (int index = 0; index < 500; ++index) {
        const int shuffled = index * 7 % 500;
        states.push_back(up("t" + std::to_string(1000 + shuffled), shuffled));
    }
    const auto page = [&states](const std::string& limit, const std::string& offset) {
        return names(states, {{"sort", "rtt"}, {"limit", limit}, {"offset", offset}});
    };
    CHECK(page("3", "0") == "t1000 t1001 t1002");
    CHECK(page("2", "250") == "t1250 t1251");
    CHECK(page("5", "498") == "t1498 t1499");
    CHECK(page("5", "500").empty());
    const auto json = list(states, {{"limit", "3"}, {"offset", "9"}});
    CHECK(number(json, "matched") == 500);
    CHECK(number(json, "limit") == 3);
    CHECK(number(json, "offset") == 9);
}

TEST_CASE("limits are cut to what memory allows, nonsense is refused with a hint") {
    CHECK(query({{"limit", "999999"}}).limit == TargetQuery::max_limit);
    CHECK(query({{"limit", "0"}}).limit == 1);
    const auto deep = query({{"limit", "100"}, {"offset", "4000000000"}});
    CHECK(deep.limit + deep.offset == TargetQuery::max_window);
    CHECK(query({}).limit == 100);
    CHECK(query({{"state", ""}, {"reason", ""}, {"sort", ""}}).order == TargetOrder::state);
    CHECK(error_of({{"state", "dead"}}) == "state must be one of: down, waiting, up");
    CHECK(error_of({{"sort", "x"}}) ==
          "sort must be one of: state, name, status, rtt, last_check, interval, success_rate, "
          "reason");
    CHECK(error_of({{"order", "up"}}) == "order must be one of: asc, desc");
    CHECK(error_of({{"reason", "bad luck"}}).starts_with("reason must be one of: "));
    CHECK(error_of({{"limit", "ten"}}) == "limit must be a whole number");
    CHECK(error_of({{"offset", "-1"}}) == "offset must be a whole number");
    CHECK(error_of({{"offset", "99999999999999999999999"}}) == "offset must be a whole number");
}

TEST_CASE("hostile names, details and labels stay text") {
    auto hostile = down("\"}],<script>\xFF\n", Failure::timeout);
    hostile.detail = "</script>\\";
    hostile.labels = {{"team", "\"<b>\x01"}};
    TargetList targets(TargetQuery{});
    targets.add(hostile);
    const auto text = std::move(targets).to_json("<v>", 0);
    CHECK(text.find('<') == std::string::npos);
    const auto json = boost::json::parse(text);
    const auto& target = json.at("targets").as_array().at(0);
    CHECK(target.at("name") == "\"}],<script>\xEF\xBF\xBD\n");
    CHECK(target.at("detail") == "</script>\\");
    CHECK(target.at("labels").at("team") == "\"<b>\x01");
}
