import { readFileSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { identify, lives } from './born.js';
import type { DataFolder } from './data-folder.js';
import { replaceFile } from './disk.js';

const Identity = z.object({ pid: z.number().int().positive(), born: z.string() });

/**
 * What a running cluster leaves in its data folder for those who look for it: where it answers, how its supervisor is
 * asked, and which processes are its own. `down` removes it; after a crash the next start reads whom it has to end.
 */
const ClusterRecord = z.object({
  supervisor: Identity,
  startedAt: z.string(),
  url: z.string(),
  control: z.object({ port: z.number().int(), token: z.string() }),
  services: z.array(
    Identity.extend({
      name: z.string(),
      stopGroup: z.number().int(),
      port: z.number().int().optional(),
      startedAt: z.string().nullable(),
    }),
  ),
});
export type ClusterRecord = z.infer<typeof ClusterRecord>;

/** The record of the cluster on this folder, if there is one that can be read. */
export function readRecord(data: DataFolder): ClusterRecord | undefined {
  try {
    return ClusterRecord.parse(JSON.parse(readFileSync(data.recordFile(), 'utf8')));
  } catch {
    return undefined;
  }
}

export const writeRecord = (data: DataFolder, record: ClusterRecord): void =>
  replaceFile(data.recordFile(), `${JSON.stringify(record)}\n`);

export const removeRecord = (data: DataFolder): void => rmSync(data.recordFile(), { force: true });

/** Whether the supervisor that wrote the record still lives. */
export const isSupervised = ({ supervisor }: ClusterRecord): boolean => lives(supervisor);

/** This very process. */
export const ourselves = (): z.infer<typeof Identity> => identify(process.pid) ?? { pid: process.pid, born: '' };
