import { setTimeout as pause } from 'node:timers/promises';
import { Report } from '#contracts';
import type { Gateway } from './gateway.js';

/** The most that the gateway looks at. */
const LIMIT = 10_000;
const ANSWER_MS = 120_000;
const ASK_AGAIN_MS = 500;
const ATTEMPTS = 60;

/** What `baton report` would say now of the time since then. @throws when the gateway does not answer for long */
export async function mondayReport(gateway: Gateway, since: string): Promise<Report> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const report = await gateway.look(`/v1/report?since=${since}&limit=${LIMIT}`, Report, ANSWER_MS);
    if (report) return report;
    await pause(ASK_AGAIN_MS);
  }
  throw new Error('The gateway gave no report of the session.');
}
