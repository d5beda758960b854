/**
 * A log-linear histogram of durations in microseconds: 36 octaves from 1/16 µs to about 71 minutes, 64 equal
 * buckets in each. A percentile is off by at most half a bucket: 1/128 = 0.78 % of the value.
 * Dense counts take 9 KiB; recording allocates nothing.
 */

const SUB_BUCKETS_LOG2 = 6;
const OCTAVES = 36;
const LOWEST_EXPONENT = -4;
const BUCKETS = OCTAVES << SUB_BUCKETS_LOG2;
/** A double's exponent is stored with this offset; shifted so that its low bits are our sub-bucket. */
const FIRST_INDEX = (1023 + LOWEST_EXPONENT) << SUB_BUCKETS_LOG2;
const HIGH_WORD_SHIFT = 20 - SUB_BUCKETS_LOG2;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
double[0] = 1;
const HIGH_WORD = words[1] === 0 ? 0 : 1;

function bucketOf(valueUs: number): number {
  double[0] = valueUs;
  const index = ((words[HIGH_WORD] as number) >>> HIGH_WORD_SHIFT) - FIRST_INDEX;
  // A negative double has its sign bit set, which would land beyond the last bucket.
  if (index < 0 || valueUs <= 0) return 0;
  return index < BUCKETS ? index : BUCKETS - 1;
}

function lowerBoundUs(bucket: number): number {
  const exponent = (bucket >> SUB_BUCKETS_LOG2) + LOWEST_EXPONENT;
  const sub = bucket & ((1 << SUB_BUCKETS_LOG2) - 1);
  return 2 ** exponent * (1 + sub / (1 << SUB_BUCKETS_LOG2));
}

function middleUs(bucket: number): number {
  return (lowerBoundUs(bucket) + lowerBoundUs(bucket + 1)) / 2;
}

/** A frozen copy of a histogram's counts; the difference of two copies is a window. */
export interface HistogramMark {
  readonly firstBucket: number;
  readonly counts: Uint32Array;
  readonly count: number;
  readonly sumUs: number;
}

/** What a reader gets; durations in microseconds, `null` where nothing was recorded. */
export interface HistogramSummary {
  readonly count: number;
  readonly meanUs: number | null;
  readonly p50Us: number | null;
  readonly p95Us: number | null;
  readonly p99Us: number | null;
  readonly p999Us: number | null;
  readonly maxUs: number | null;
}

const EMPTY_MARK: HistogramMark = { firstBucket: 0, counts: new Uint32Array(0), count: 0, sumUs: 0 };

export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #lowest = BUCKETS;
  #highest = -1;
  #mark = EMPTY_MARK;
  count = 0;
  sumUs = 0;
  maxUs = 0;

  /** @param valueUs microseconds; below 1/16 µs counts as the lowest bucket, above 71 minutes as the highest. */
  record(valueUs: number): void {
    const bucket = bucketOf(valueUs);
    (this.#counts[bucket] as number) += 1;
    if (bucket < this.#lowest) this.#lowest = bucket;
    if (bucket > this.#highest) this.#highest = bucket;
    if (valueUs > this.maxUs) this.maxUs = valueUs;
    this.sumUs += valueUs;
    this.count += 1;
  }

  /** Adds another histogram's counts, or those since one of its marks, as if they had been recorded here too. */
  merge(other: Histogram, since: HistogramMark = EMPTY_MARK): void {
    for (let bucket = other.#lowest; bucket <= other.#highest; bucket += 1) {
      const added = (other.#counts[bucket] as number) - (since.counts[bucket - since.firstBucket] ?? 0);
      (this.#counts[bucket] as number) += added;
    }
    this.#lowest = Math.min(this.#lowest, other.#lowest);
    this.#highest = Math.max(this.#highest, other.#highest);
    this.maxUs = Math.max(this.maxUs, other.summary(since).maxUs ?? 0);
    this.sumUs += other.sumUs - since.sumUs;
    this.count += other.count - since.count;
  }

  /** A copy of the counts so far; the same object as last time while nothing was recorded in between. */
  mark(): HistogramMark {
    if (this.#mark.count !== this.count) {
      const { count, sumUs } = this;
      const counts = this.#counts.slice(this.#lowest, this.#highest + 1);
      this.#mark = { firstBucket: this.#lowest, counts, count, sumUs };
    }
    return this.#mark;
  }

  /** Percentiles of what was recorded since `mark`, or of everything. */
  summary(since: HistogramMark = EMPTY_MARK): HistogramSummary {
    const count = this.count - since.count;
    if (count <= 0) {
      return { count: 0, meanUs: null, p50Us: null, p95Us: null, p99Us: null, p999Us: null, maxUs: null };
    }
    const wanted = [0.5, 0.95, 0.99, 0.999, 1].map((share) => Math.max(1, Math.ceil(share * count)));
    const found: number[] = [];
    let seen = 0;
    for (let bucket = this.#lowest; bucket <= this.#highest; bucket += 1) {
      seen += (this.#counts[bucket] as number) - (since.counts[bucket - since.firstBucket] ?? 0);
      while (found.length < wanted.length && seen >= (wanted[found.length] as number)) {
        // The middle of the bucket may lie above the largest value that was ever seen.
        found.push(Math.min(middleUs(bucket), this.maxUs));
      }
    }
    const [p50, p95, p99, p999, max] = found as [number, number, number, number, number];
    return {
      count,
      meanUs: (this.sumUs - since.sumUs) / count,
      p50Us: p50,
      p95Us: p95,
      p99Us: p99,
      p999Us: p999,
      maxUs: since.count === 0 ? this.maxUs : max,
    };
  }
}
