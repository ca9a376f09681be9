import type { z } from 'zod';
import type { Problem } from '#contracts';
import { BatonError, faultsOf } from '#platform';

export interface FieldFault {
  readonly field: string;
  readonly message: string;
}

interface Particulars {
  readonly errors?: readonly FieldFault[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a caller did wrong, as it is answered: the HTTP status, a stable code and one sentence with the way out. */
export class ApiProblem extends BatonError {
  readonly remedy = 'tell';

  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly particulars: Particulars = {},
  ) {
    super(detail);
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  404: 'Not found',
  409: 'Conflict',
  410: 'Gone',
  413: 'Too large',
  415: 'Unsupported',
  422: 'Unprocessable',
  429: 'Too many',
  500: 'Internal error',
  503: 'Unavailable',
};

/** The body of an error answer (RFC 9457). */
export function problemBody(status: number, code: string, detail: string, errors?: readonly FieldFault[]): Problem {
  return {
    type: `urn:baton:problem:${code}`,
    title: TITLES[status] ?? 'Error',
    status,
    code,
    detail,
    ...(errors === undefined ? {} : { errors: [...errors] }),
  };
}

/** A request that can be read but not be done: 422, naming the fields. */
export function invalid(...errors: readonly FieldFault[]): ApiProblem {
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return new ApiProblem(422, 'invalid-request', `The request is wrong. ${detail}.`, { errors });
}

/** @throws ApiProblem 422 `invalid-request` with every wrong field by its path */
export function validated<S extends z.ZodType>(schema: S, value: unknown, within = 'body'): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(
    ...faultsOf(result.error).map(({ path, message }) => ({ field: path.map(String).join('.') || within, message })),
  );
}

export const noSuchRun = (id: string): ApiProblem =>
  new ApiProblem(404, 'run-unknown', `There is no run ${id}; \`npx baton list\` (GET /v1/runs) shows them.`);
