import { RunId } from '#contracts';
import { noSuchRun } from '../http/problems.js';

/** @throws ApiProblem 404: what is no id names no run */
export function runIdFrom(text: string): RunId {
  const id = RunId.safeParse(text.toLowerCase());
  if (id.success) return id.data;
  throw noSuchRun(text.slice(0, 100));
}
