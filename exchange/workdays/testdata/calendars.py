"""Prints each day of the years asked for with what two libraries say of it: DAY WORKS WORKS."""

import datetime
import sys

import chinese_calendar
import holidays

years = [int(y) for y in sys.argv[1:]]
china = holidays.China(years=years)
for year in years:
    day = datetime.date(year, 1, 1)
    while day.year == year:
        print(day, int(chinese_calendar.is_workday(day)), int(china.is_working_day(day)))
        day += datetime.timedelta(days=1)
