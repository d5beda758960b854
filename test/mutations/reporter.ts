/** Reporter for `node --test` that writes one JSON line per event, for the process that started the tests. */

interface Failure {
  readonly message?: string;
  readonly cause?: { readonly message?: string };
}

interface Data {
  readonly name?: string;
  readonly nesting?: number;
  readonly file?: string;
  readonly message?: string;
  readonly skip?: string | boolean;
  readonly todo?: string | boolean;
  readonly details?: { readonly type?: string; readonly error?: Failure };
}

/** What a line holds. */
export interface ReportedEvent {
  readonly type: string;
  readonly name: string;
  readonly nesting: number;
  readonly file: string | undefined;
  readonly isSuite: boolean;
  readonly isSkipped: boolean;
  readonly isTodo: boolean;
  /** Of a failure why, of a note its text. */
  readonly message: string | undefined;
}

const TOLD: ReadonlySet<string> = new Set(['test:pass', 'test:fail', 'test:diagnostic', 'test:stderr']);

export default async function* report(
  events: AsyncIterable<{ readonly type: string; readonly data: Data }>,
): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (!TOLD.has(type)) continue;
    const { name = '', nesting = 0, file, details, skip, todo } = data;
    const error = details?.error;
    const event: ReportedEvent = {
      type,
      name,
      nesting,
      file,
      isSuite: details?.type === 'suite',
      isSkipped: skip !== undefined && skip !== false,
      isTodo: todo !== undefined && todo !== false,
      message: data.message ?? error?.cause?.message ?? error?.message,
    };
    yield `${JSON.stringify(event)}\n`;
  }
}
