import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { invalid } from './problems.js';

const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'use 1 to 200 visible ASCII characters')
  .optional();

/** The request's `Idempotency-Key`. @throws ApiProblem 422 when it is none */
export function keyOf(request: IncomingMessage): string | undefined {
  const key = IdempotencyKey.safeParse(request.headers['idempotency-key']);
  if (key.success) return key.data;
  throw invalid({ field: 'Idempotency-Key', message: 'use 1 to 200 visible ASCII characters' });
}
