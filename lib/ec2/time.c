/* SPDX-License-Identifier: Apache-2.0 */
/* The Gregorian calendar without the C library's, which knows zones and locales. */
#include "ec2/time.h"

#include <string.h>

#include "base/text.h"

#define DAY INT64_C(86400)

struct parts {
    uint64_t year, month, day, hour, minute, second;
};

/* Days from 1970-01-01. Years begin in March, so that the leap day is the last. */
static int64_t days_of(uint64_t year, uint64_t month, uint64_t day)
{
    const int64_t y = (int64_t)year - (month <= 2);
    const int64_t m = (int64_t)(month + 9) % 12;

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + (int64_t)day - 1 - 719468;
}

static bool seconds_of(const struct parts *p, int64_t *s)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = p->year % 4 == 0 && (p->year % 100 != 0 || p->year % 400 == 0);

    if (p->year < 1970 || p->month < 1 || p->month > 12 || p->day < 1 ||
        p->day > (uint64_t)days[p->month - 1] + (p->month == 2 && leap) || p->hour > 23 ||
        p->minute > 59 || p->second > 59)
        return false;
    *s = days_of(p->year, p->month, p->day) * DAY +
         (int64_t)(p->hour * 3600 + p->minute * 60 + p->second);
    return true;
}

/* A pattern: its letters are digits of a part, all else stands for itself. */
static bool match(const char *pattern, const char *text, struct parts *p)
{
    for (; *pattern != '\0'; pattern++, text++) {
        static const char letters[] = "YMDhms";
        uint64_t *const part[] = {&p->year, &p->month, &p->day, &p->hour, &p->minute, &p->second};
        const char *letter = strchr(letters, *pattern);
        if (letter == NULL) {
            if (*pattern != *text)
                return false;
            continue;
        }
        if (*text < '0' || *text > '9')
            return false;
        uint64_t *v = part[letter - letters];
        *v = *v * 10 + (uint64_t)(*text - '0');
    }
    return true;
}

bool s2_ec2_time_basic(const char *text, size_t len, int64_t *s)
{
    struct parts p = {0};

    return len == 16 && match("YYYYMMDDThhmmssZ", text, &p) && seconds_of(&p, s);
}

bool s2_ec2_time_iso(const char *text, size_t len, int64_t *s)
{
    struct parts p = {0};
    uint64_t fraction;

    if (len < 20 || !match("YYYY-MM-DDThh:mm:ss", text, &p) || text[len - 1] != 'Z')
        return false;
    if (len > 20 &&
        (len > 30 || text[19] != '.' || !s2_read_number(text + 20, len - 21, INT64_MAX, &fraction)))
        return false;
    return seconds_of(&p, s);
}

bool s2_ec2_time_http(const char *text, size_t len, int64_t *s)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct parts p = {0};

    if (len < 26 || text[3] != ',' || !match(" DD ", text + 4, &p) ||
        !match(" YYYY hh:mm:ss ", text + 11, &p))
        return false;
    const char *zone = text + 26;
    const size_t n = len - 26;
    if (!(n == 3 && memcmp(zone, "GMT", 3) == 0) &&
        !(n == 5 && (memcmp(zone, "-0000", 5) == 0 || memcmp(zone, "+0000", 5) == 0)))
        return false;
    while (p.month < 12 && memcmp(months + 3 * p.month, text + 8, 3) != 0)
        p.month++;
    p.month++;
    return seconds_of(&p, s);
}

static struct parts parts_of(int64_t s)
{
    const int64_t z = s / DAY + 719468, rest = s % DAY;
    const int64_t era = z / 146097, of_era = z % 146097;
    const int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    const int64_t m = (5 * of_year + 2) / 153;
    struct parts p = {
        .day = (uint64_t)(of_year - (153 * m + 2) / 5 + 1),
        .month = (uint64_t)(m < 10 ? m + 3 : m - 9),
        .hour = (uint64_t)(rest / 3600),
        .minute = (uint64_t)(rest / 60 % 60),
        .second = (uint64_t)(rest % 60),
    };

    p.year = (uint64_t)(y + era * 400 + (p.month <= 2));
    return p;
}

/* Years of four digits; a clock that is elsewhere is set to the nearest. */
static int64_t bounded(int64_t s)
{
    const int64_t last = INT64_C(253402300799);

    return s < 0 ? 0 : s > last ? last : s;
}

char *s2_ec2_time_print_basic(int64_t s, char out[S2_EC2_TIME_BASIC_SIZE])
{
    const struct parts p = parts_of(bounded(s));

    s2_print(out, S2_EC2_TIME_BASIC_SIZE, "%04u%02u%02uT%02u%02u%02uZ", (unsigned)p.year,
             (unsigned)p.month, (unsigned)p.day, (unsigned)p.hour, (unsigned)p.minute,
             (unsigned)p.second);
    return out;
}

char *s2_ec2_time_print_iso(int64_t s, char out[S2_EC2_TIME_ISO_SIZE])
{
    const struct parts p = parts_of(bounded(s));

    s2_print(out, S2_EC2_TIME_ISO_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.000Z", (unsigned)p.year,
             (unsigned)p.month, (unsigned)p.day, (unsigned)p.hour, (unsigned)p.minute,
             (unsigned)p.second);
    return out;
}
