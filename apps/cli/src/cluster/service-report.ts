import { z } from 'zod';
import type { ReportedProcess, ServiceReport } from '#platform';

const Reported: z.ZodType<ReportedProcess> = z.object({
  name: z.string(),
  pid: z.number().int().positive(),
  state: z.string(),
  startedAt: z.string(),
  run: z.string().exactOptional(),
  segment: z.number().int().exactOptional(),
});

const Report: z.ZodType<ServiceReport> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), port: z.number().int().exactOptional() }),
  z.object({ type: z.literal('processes'), processes: z.array(Reported).readonly() }),
  z.object({ type: z.literal('notice'), sentence: z.string() }),
]);

/** What a service said over IPC, or undefined when it is not in our language. */
export function readReport(message: unknown): ServiceReport | undefined {
  const result = Report.safeParse(message);
  return result.success ? result.data : undefined;
}
