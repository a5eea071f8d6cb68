/** The named limits of the history; `docs/history.md` explains them. */
import { type Duration, days, hours, minutes, ms, seconds } from "../../kit/time.ts";

export const SENSOR_ID_CHARS_MAX: number = 200;
/** Of a sensor's kind, name and unit; longer ones are cut. */
export const DESCRIPTION_CHARS_MAX: number = 200;
/** Sensors remembered; samples of further ones are dropped. */
export const SENSORS_MAX: number = 4096;

/** Magnitudes beyond are no sensor's: kept as "no value". */
export const VALUE_MAX: number = 1e9;
/** Values are whole numbers of this part of a unit: hwmon's own (Documentation/hwmon/sysfs-interface). */
export const PARTS_OF_UNIT: number = 1000;
/** Of one sensor in one hour: ten a second. */
export const HOUR_SAMPLES_MAX: number = 36_000;

/** Kept in memory until their hour is closed; when more wait for a disk that fails, the oldest hour goes. */
export const OPEN_SAMPLES_MAX: number = 1_000_000;
/** Hours with samples that are not closed; a clock that jumps opens more than one. */
export const OPEN_HOURS_MAX: number = 8;
/** An hour is closed when this much was recorded without anything for it: late samples find it open. */
export const CLOSE_AFTER: Duration = minutes(5);
/** A kill loses what was appended during this time at most. */
export const FLUSH_INTERVAL: Duration = seconds(60);
/** While flushes fail, the interval doubles this often at most: to 16 minutes. */
export const FLUSH_DOUBLINGS_MAX: number = 4;
/** A longer pause between batches counts as this much towards the age of what was recorded. */
export const PAUSE_COUNTED_MAX: Duration = minutes(15);

export const RAW_KEPT: Duration = hours(48);
export const MINUTES_KEPT: Duration = days(30);
export const QUARTERS_KEPT: Duration = days(5 * 365.25);

export const HISTORY_BYTES_DEFAULT: number = 256 * 1024 * 1024;
export const HISTORY_BYTES_MIN: number = 1024 * 1024;
/** Of the limit: what pruning leaves free for the next hours. */
export const FREE_SHARE: number = 1 / 16;
/** Damaged files kept for a person to look at; the oldest gives way. */
export const DAMAGED_FILES_KEPT: number = 2;

/** Points of a chart whose step is not given. */
export const CHART_POINTS_MAX: number = 1000;
/** Points of a chart with a given step; more are refused. */
export const POINTS_MAX: number = 10_000;
export const STEP_MIN: Duration = ms(1000);
/** Samples that one answer holds; more are refused. */
export const ANSWER_SAMPLES_MAX: number = 200_000;

/** Batches that wait for the thread; more are dropped. */
export const BATCHES_WAITING_MAX: number = 1000;
export const QUESTIONS_WAITING_MAX: number = 100;
/** A disk that does not answer within this fails the question. */
export const ANSWER_TIMEOUT: Duration = seconds(15);
/** After the thread has ended by a fault. */
export const RESTART_DELAY: Duration = seconds(60);
