import { readFileSync } from 'node:fs';
import type { AgentVersion } from '#contracts';
import type { Gateway } from '../api/gateway.js';
import { readAgentFile } from './read-agent-file.js';
import { seedFiles } from './seed-files.js';

/** Stores what an agent file says as a version: first the contents of its files, then the version that names them. */
export async function applyAgent(gateway: Gateway, file: string): Promise<AgentVersion> {
  const spec = readAgentFile(file);
  const files = seedFiles(file, spec.workspace.files);
  for (const { seed, file: path } of files) await gateway.store(seed.digest, readFileSync(path));
  return gateway.apply({ spec, files: files.map(({ seed }) => seed) });
}
