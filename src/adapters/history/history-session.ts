/** Serves the history's requests one after another, on whatever thread it is created. */
import { existsSync, rmSync, statSync } from "node:fs";
import { type Failure, fail, ok, type Result } from "../../kit/result.ts";
import { WALL_MAX } from "../../kit/time.ts";
import type { HistoryStatus, SampleBatch } from "../../ports/history.ts";
import { isDamage, LOG_SUFFIXES, renameDatabase } from "../sqlite/database.ts";
import { chartOf, type Sources, samplesOf } from "./chart.ts";
import { damagedPieces, failureOf, notKept, setAside, unavailable } from "./failures.ts";
import { dayOf, HistoryFile } from "./history-file.ts";
import type { Answer, HistoryRequest, HistorySettings, Question } from "./history-requests.ts";
import {
  CLOSE_AFTER,
  DAMAGED_FILES_KEPT,
  FLUSH_DOUBLINGS_MAX,
  FREE_SHARE,
  PAUSE_COUNTED_MAX,
  QUARTERS_KEPT,
  SENSORS_MAX,
} from "./limits.ts";
import { type OpenHour, OpenHours } from "./open-hours.ts";
import { dropAged, dropToFit } from "./retention.ts";
import { scaled } from "./samples.ts";
import { SensorBook } from "./sensor-book.ts";
import { Shelf } from "./shelf.ts";
import { encodeTail, piecesOf, upToTail } from "./tail.ts";

/** SQLITE_FULL: the disk, or the file's own limit. */
const FULL = 13;
/** Of the limit: what is pruned to when the free share did not do. */
const SHARE_IN_NEED = 1 / 2;

export class HistorySession {
  private readonly settings: HistorySettings;
  private readonly tell: (trouble: Failure) => void;
  private readonly open = new OpenHours();
  private readonly book = new SensorBook();
  private shelf: Shelf | undefined;
  private closed = false;
  /** Milliseconds of recording, ever: the clock of retention. */
  private recorded = 0;
  private lastBatchAt: number | undefined;
  private flushedAt = 0;
  private refused = 0;
  private damaged = 0;
  private readonly told = new Set<string>();
  /** The trouble that was told and is not over. */
  private failing: string | undefined;
  /** Flushes that have failed since the last that did not. */
  private failures = 0;

  constructor(settings: HistorySettings, tell: (trouble: Failure) => void) {
    this.settings = settings;
    this.tell = tell;
  }

  /** Samples that a kill would lose now. */
  get unwritten(): number {
    return this.open.unwritten;
  }

  /** How long to wait with the next flush; longer and longer while they fail, since each tries all that waits. */
  get flushAfterMs(): number {
    return this.settings.flushMs * 2 ** Math.min(this.failures, FLUSH_DOUBLINGS_MAX);
  }

  serve(request: HistoryRequest): Result<Answer<Question>> {
    switch (request.type) {
      case "append":
        this.append(request.about);
        return ok(undefined);
      case "query":
        return this.answer((sources) => chartOf(sources, request.about));
      case "samples":
        return this.answer((sources) => samplesOf(sources, request.about));
      case "sensors":
        return this.answer(({ book }) => ok(book.records()));
      case "status":
        return ok(this.status());
      case "flush":
        return this.flush();
      case "close":
        return this.close();
    }
  }

  private append({ at, samples, described }: SampleBatch): void {
    if (this.lastBatchAt !== undefined) {
      this.recorded += Math.min(Math.max(0, at - this.lastBatchAt) || 0, PAUSE_COUNTED_MAX);
    }
    this.lastBatchAt = at;
    for (const sample of samples) this.add(sample.sensor, Math.floor(sample.at ?? at), sample.value);
    for (const one of described ?? []) this.book.describe(one);
    if (this.recorded - this.flushedAt >= this.flushAfterMs) this.flush();
  }

  private add(sensor: string, at: number, value: number): void {
    if (!(at >= 0 && at <= WALL_MAX)) this.refuse("they are of a time that cannot be");
    else if (!this.book.saw(sensor, at, this.recorded)) {
      this.refuse(`of more than ${SENSORS_MAX} sensors, or with an id that is too long or empty`);
    } else {
      const before = this.open.dropped;
      this.open.add(sensor, at, scaled(value), this.recorded);
      if (this.open.dropped > before) this.once(notKept(this.settings.path, "more than memory is there for"));
    }
  }

  private refuse(why: string): void {
    this.refused += 1;
    this.once(notKept(this.settings.path, why));
  }

  flush(): Result<undefined> {
    this.flushedAt = this.recorded;
    const result = this.withShelf((shelf) => ok(this.writeOut(shelf)));
    this.failures = result.ok ? 0 : this.failures + 1;
    if (result.ok) this.failing = undefined;
    else if (this.failing !== result.error.message) {
      this.failing = result.error.message;
      this.tell(result.error);
    }
    return result;
  }

  private writeOut(shelf: Shelf): undefined {
    const closing = this.open.toClose(this.recorded - CLOSE_AFTER);
    if (this.open.unwritten === 0 && closing.length === 0) return undefined;
    try {
      this.commit(shelf, closing, FREE_SHARE);
    } catch (error) {
      if ((error as { errcode?: number }).errcode !== FULL || !this.atLimit(shelf)) throw error;
      this.commit(shelf, closing, SHARE_IN_NEED);
    }
    return undefined;
  }

  private atLimit(shelf: Shelf): boolean {
    return shelf.file.bytesOfFile() > this.settings.bytesMax * (1 - 2 * FREE_SHARE);
  }

  /** One transaction: a kill finds an hour either open, in the tail, or closed in all three tiers. */
  private commit(shelf: Shelf, closing: readonly OpenHour[], freeShare: number): void {
    const { file } = shelf;
    const touched = new Set(closing.flatMap(({ series }) => [...series.keys()]));
    const forgotten = closing.length === 0 ? [] : this.forgotten();
    file.transaction(() => {
      dropToFit(file, this.settings.bytesMax * (1 - freeShare));
      for (const { number } of forgotten) file.dropSensor(number);
      for (const row of this.book.rows(closing.length > 0, touched)) file.putSensor(row);
      for (const hour of closing) this.closeHour(shelf, hour);
      for (const hour of this.open.all()) if (!closing.includes(hour)) this.writeTail(file, hour);
      if (closing.length === 0) return;
      file.putRecorded(this.recorded);
      dropAged(file, this.recorded);
    });
    this.open.committed(closing);
    this.book.committed();
    for (const { id } of forgotten) this.book.forget(id);
    if (closing.length > 0 && file.bytesOfFile() > this.settings.bytesMax) file.shrink();
  }

  /** Sensors of which the longest memory holds nothing any more. */
  private forgotten(): { readonly id: string; readonly number: number }[] {
    const open = this.sensorsInMemory();
    return this.book.unseenSince(this.recorded - QUARTERS_KEPT).filter(({ id }) => !open.has(id));
  }

  private closeHour(shelf: Shelf, { hour, series, touched }: OpenHour): void {
    for (const sensor of series.keys()) {
      const number = this.book.numberOf(sensor);
      const samples = this.open.samples(hour, sensor);
      if (number !== undefined && samples !== undefined) shelf.close(hour, number, samples);
    }
    shelf.file.putSpan("raw", hour, touched);
    shelf.file.putSpan("minute", hour, touched);
    shelf.file.putSpan("quarter", dayOf(hour), touched);
    shelf.file.dropTail(hour);
  }

  private writeTail(file: HistoryFile, hour: OpenHour): void {
    const pieces = [...this.open.pending(hour)].flatMap(([id, samples]) => {
      const sensor = this.book.numberOf(id);
      return sensor === undefined ? [] : [{ sensor, samples }];
    });
    if (pieces.length > 0) file.addTail(hour.hour, this.recorded, encodeTail(pieces));
  }

  private answer<T>(reply: (sources: Sources) => Result<T>): Result<T> {
    return this.withShelf((shelf) => reply({ shelf, open: this.open, book: this.book }));
  }

  /** Twice where the file turns out to be damaged: the second time with a fresh one. */
  private withShelf<T>(use: (shelf: Shelf) => Result<T>): Result<T> {
    const { path } = this.settings;
    if (this.closed) return fail(unavailable(path, "it is closed"));
    try {
      try {
        return use(this.opened());
      } catch (error) {
        if (!isDamage(error)) throw error;
        this.startAnew(error as Error);
        return use(this.opened());
      }
    } catch (error) {
      return fail(failureOf(error, path));
    }
  }

  private opened(): Shelf {
    if (this.shelf !== undefined) return this.shelf;
    const file = new HistoryFile(this.settings.path, this.settings.bytesMax);
    try {
      this.load(file);
    } catch (error) {
      file.close();
      throw error;
    }
    this.shelf = new Shelf(file, () => this.foundDamage());
    return this.shelf;
  }

  private load(file: HistoryFile): void {
    const tail = file.tail().map(piecesOf);
    const rows = upToTail(file.sensors(), tail);
    const before = file.recorded();
    if (file.bytesOfFile() > this.settings.bytesMax) {
      file.transaction(() => dropToFit(file, this.settings.bytesMax * (1 - FREE_SHARE)));
      file.shrink();
    }
    // Nothing below can fail: what is loaded is loaded once.
    this.recorded += before;
    this.flushedAt += before;
    this.book.load(rows, before);
    for (const { hour, recorded, pieces } of tail) {
      if (pieces === undefined) this.foundDamage();
      for (const { sensor, samples } of pieces ?? []) {
        const id = this.book.idOf(sensor);
        if (id !== undefined) this.open.restore(hour, id, samples, recorded);
      }
    }
  }

  private foundDamage(): void {
    this.damaged += 1;
    this.once(damagedPieces(this.settings.path));
  }

  /** A damaged file is kept for a person to look at; what is in memory goes into the fresh one. */
  private startAnew(why: Error): void {
    const { path } = this.settings;
    const shelf = this.shelf;
    this.shelf = undefined;
    shelf?.file.close();
    const moved = nameForDamaged(path);
    renameDatabase(path, moved);
    this.open.nothingWritten();
    this.book.startAnew(this.sensorsInMemory());
    this.tell(setAside(path, moved, why.message));
  }

  private sensorsInMemory(): Set<string> {
    return new Set(this.open.all().flatMap(({ series }) => [...series.keys()]));
  }

  private status(): HistoryStatus {
    return {
      bytes: bytesOnDisk(this.settings.path),
      bytesMax: this.settings.bytesMax,
      sensors: this.book.size,
      unwritten: this.open.unwritten,
      dropped: this.refused + this.open.dropped,
      damaged: this.damaged,
    };
  }

  private close(): Result<undefined> {
    if (this.closed) return ok(undefined);
    const result = this.flush();
    this.shelf?.file.close();
    this.shelf = undefined;
    this.closed = true;
    return result;
  }

  private once(trouble: Failure): void {
    if (this.told.has(trouble.message)) return;
    this.told.add(trouble.message);
    this.tell(trouble);
  }
}

const bytesOnDisk = (path: string): number =>
  ["", ...LOG_SUFFIXES].reduce((sum, suffix) => {
    return sum + (statSync(`${path}${suffix}`, { throwIfNoEntry: false })?.size ?? 0);
  }, 0);

/** The first free one, else that of the oldest, which gives way. */
function nameForDamaged(path: string): string {
  const names = Array.from({ length: DAMAGED_FILES_KEPT }, (_, index) => `${path}.damaged-${index + 1}`);
  const free = names.find((name) => !existsSync(name));
  if (free !== undefined) return free;
  const [oldest = `${path}.damaged-1`] = names.toSorted((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs);
  for (const suffix of ["", ...LOG_SUFFIXES]) rmSync(`${oldest}${suffix}`, { force: true });
  return oldest;
}
