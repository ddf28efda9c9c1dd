// The closed table of everything that can fail on purpose: code → HTTP status, whether a retry can help, one line.
// Messages say what was expected, what was found and what to do.

export const failures = {
  invalid_request: { status: 400, retryable: false, summary: 'A field of the request is missing or malformed' },
  invalid_json: { status: 400, retryable: false, summary: 'The body is not valid JSON' },
  unknown_attribute: { status: 400, retryable: false, summary: 'The model has no attribute of that name' },
  attribute_out_of_range: { status: 400, retryable: false, summary: 'The value lies outside the scale of the attribute' },
  unknown_vector: { status: 400, retryable: false, summary: 'The model has no steering vector of that name' },
  vector_out_of_range: { status: 400, retryable: false, summary: 'The weight lies outside the range of the steering vector' },
  context_length_exceeded: { status: 400, retryable: false, summary: 'Prompt and reply do not fit the context' },
  invalid_api_key: { status: 401, retryable: false, summary: 'The API key is missing or wrong' },
  forbidden: {
    status: 403,
    retryable: false,
    summary: 'The token, or the page or host the request comes by, is not allowed that',
  },
  model_not_found: { status: 404, retryable: false, summary: 'No model of that name is served' },
  not_found: { status: 404, retryable: false, summary: 'Nothing is at that address' },
  method_not_allowed: { status: 405, retryable: false, summary: 'The address does not answer that method' },
  request_timeout: { status: 408, retryable: true, summary: 'The request came too slowly' },
  conflict: { status: 409, retryable: false, summary: 'The thing exists already or is in use' },
  body_too_large: { status: 413, retryable: false, summary: 'The body is larger than the server accepts' },
  unsupported_media_type: { status: 415, retryable: false, summary: 'The content type is not one the route reads' },
  invalid_dataset: { status: 422, retryable: false, summary: 'A line of the data does not fit the format' },
  invalid_vector: {
    status: 422,
    retryable: false,
    summary: 'A file of steering vectors is torn, or was made for another model',
  },
  overloaded: { status: 429, retryable: true, summary: 'Too much is waiting already' },
  cancelled: { status: 499, retryable: true, summary: 'The caller went away' },
  internal_error: { status: 500, retryable: false, summary: 'A fault of the server' },
  invalid_model: { status: 500, retryable: false, summary: 'The files of a model are missing, corrupt or do not fit each other' },
  invalid_config: { status: 500, retryable: false, summary: 'A setting or command-line option does not hold' },
  training_failed: { status: 500, retryable: false, summary: 'A training run ended before its last step' },
  database_unavailable: { status: 503, retryable: true, summary: 'The database cannot be reached or is held by another process' },
  disk_full: { status: 507, retryable: false, summary: 'There is no room left on a disk of the server' },
  not_ready: { status: 503, retryable: true, summary: 'The server, or an upstream that runs the model, is not ready' },
} as const satisfies Record<string, { status: number; retryable: boolean; summary: string }>;

export type FailureCode = keyof typeof failures;

export interface FailureDetails {
  /** Path of the offending field, e.g. `attributes.humor`. */
  param?: string;
  /** Seconds after which a retry may succeed. */
  retryAfterS?: number;
}

/** A failure that was foreseen: its message may be shown to the caller unless its status is 500. */
export class SteerError extends Error {
  readonly code: FailureCode;
  readonly details: FailureDetails;

  constructor(code: FailureCode, message: string, options: { cause?: unknown; details?: FailureDetails } = {}) {
    super(message, { cause: options.cause });
    this.name = 'SteerError';
    this.code = code;
    this.details = options.details ?? {};
  }

  get status(): number {
    return failures[this.code].status;
  }
}

/** Whether the same request may succeed a moment later. */
export function isRetryable(error: unknown): boolean {
  return error instanceof SteerError && failures[error.code].retryable;
}

/** Whether the failure, or a cause of it, is a disk or a quota without room. */
export function isDiskFull(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (['ENOSPC', 'EDQUOT', 'disk_full'].includes(String((cause as NodeJS.ErrnoException).code))) return true;
  }
  return false;
}

/** Runs what writes into `folder`; where there is no room left, that becomes disk_full naming the folder. */
export async function writingTo<T>(folder: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    if (!isDiskFull(cause) || cause instanceof SteerError) throw cause;
    throw new SteerError('disk_full', `There is no room left on the disk of ${folder}.`, { cause });
  }
}
