// cookie_date: the forms of dates in the wild, and what is no date.
#include "probes/wire/cookie_date.hpp"

#include <doctest/doctest.h>

#include <string_view>

using sonde::probes::wire::cookie_date;

TEST_CASE("cookie dates: the forms in the wild") {
    for (const std::string_view text : {"Tue, 14 Nov 2023 22:13:20 GMT",
                                        "Tuesday, 14-Nov-23 22:13:20 GMT",
                                        "Tue Nov 14 22:13:20 2023",
                                        "14-november-2023;22:13:20",
                                        "22:13:20 14th nov 2023",
                                        "2023 Nov 14th 22:13:20.5",
                                        "\tNOV/14/23 22:13:20 "}) {
        CAPTURE(text);
        CHECK(cookie_date(text) == 1700000000);
    }
    CHECK(cookie_date("1 Jan 1970 0:0:0") == 0);
    CHECK(cookie_date("1 Jan 70 0:0:0") == 0);
    CHECK(cookie_date("31 Dec 69 23:59:59") == 3155759999);
    CHECK(cookie_date("1 Jan 1601 00:00:00") == -11644473600);
    CHECK(cookie_date("31 Dec 9999 23:59:59") == 253402300799);
    CHECK(cookie_date("29 Feb 2024 00:00:00") == 1709164800);
}

TEST_CASE("cookie dates: what is none") {
    for (const std::string_view text : {"",
                                        "   ",
                                        "0",
                                        "14 Nov 2023",
                                        "14 Nov 22:13:20",
                                        "Nov 2023 22:13:20",
                                        "14 2023 22:13:20",
                                        "14 Nov 1600 22:13:20",
                                        "14 Nov 20231 22:13:20",
                                        "14 Nov 2 22:13:20",
                                        "29 Feb 2023 00:00:00",
                                        "31 Apr 2023 00:00:00",
                                        "0 Nov 2023 00:00:00",
                                        "32 Nov 2023 00:00:00",
                                        "14 Nov 2023 24:00:00",
                                        "14 Nov 2023 00:60:00",
                                        "14 Nov 2023 00:00:60",
                                        "14 Nov 2023 000:00:00",
                                        "14 Nov 2023 00:00",
                                        "14 Nov 2023 00:00:000",
                                        "14 No 2023 00:00:00"}) {
        CAPTURE(text);
        CHECK_FALSE(cookie_date(text));
    }
}
