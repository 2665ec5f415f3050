/** Every way in which a request can fail, as one error that the views can show. */
import type { FieldError } from '#queue/contract/errors';
import { Problem } from '#queue/contract/http';

/** A proxy in between may answer less than our server. */
const SomeProblem = Problem.partial();

export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  readonly title: string;
  /** What is wrong with which field, of a 422. */
  readonly fields: readonly FieldError[];

  constructor(status: number, title: string, detail: string, fields: readonly FieldError[] = [], cause?: unknown) {
    super(detail, cause === undefined ? {} : { cause });
    this.status = status;
    this.title = title;
    this.fields = fields;
  }

  /** A token is missing or wrong. */
  get unauthenticated(): boolean {
    return this.status === 401;
  }

  static unreachable(cause: unknown): ApiError {
    return new ApiError(
      0,
      'The server does not answer',
      'Check that Millrace runs and that this machine can reach it.',
      [],
      cause,
    );
  }

  static notUnderstood(status: number, cause: unknown): ApiError {
    return new ApiError(
      status,
      'The answer is not understood',
      'Server and console may be of different versions.',
      [],
      cause,
    );
  }
}

/** @param text the answer's body */
export function problemError(status: number, text: string): ApiError {
  const problem = SomeProblem.safeParse(parseJson(text));
  const title = (problem.success && problem.data.title) || `The server answered ${status}`;
  const detail = (problem.success && problem.data.detail) || title;
  return new ApiError(status, title, detail, problem.success ? (problem.data.errors ?? []) : []);
}

/** What to show of anything that was thrown. */
export function describeError(error: unknown): { title: string; detail: string } {
  if (error instanceof ApiError) return { title: error.title, detail: error.message };
  return { title: 'Something went wrong', detail: error instanceof Error ? error.message : String(error) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not every proxy answers JSON; the status says enough
  }
}
