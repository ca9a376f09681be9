import { z } from 'zod';
import type { Audience } from './foreground.js';

/** What the background process tells the command that launched it, over IPC, until that has seen enough. */
const LaunchReport = z.discriminatedUnion('type', [
  z.object({ type: z.literal('said'), sentence: z.string() }),
  z.object({ type: z.literal('ready'), announcement: z.string() }),
]);
export type LaunchReport = z.infer<typeof LaunchReport>;

export function readLaunchReport(message: unknown): LaunchReport | undefined {
  const result = LaunchReport.safeParse(message);
  return result.success ? result.data : undefined;
}

const send = (report: LaunchReport): void => {
  if (process.connected) process.send?.(report, undefined, {}, () => undefined);
};

export const launcherAudience = (): Audience => ({
  say: (sentence) => send({ type: 'said', sentence }),
  ready: (announcement) => send({ type: 'ready', announcement }),
});
