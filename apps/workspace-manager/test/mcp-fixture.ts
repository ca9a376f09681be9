import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkspaceManager } from '../src/assembly.js';

const server = fileURLToPath(new URL('mcp-server.mjs', import.meta.url));
const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));
const NEEDED = [
  '@modelcontextprotocol/sdk',
  'zod',
  'zod-to-json-schema',
  'ajv',
  'ajv-formats',
  'fast-deep-equal',
  'fast-uri',
  'json-schema-traverse',
  'require-from-string',
];

/** Puts the test's MCP server and what it imports into a workspace, where nothing else of this machine is seen. */
export function plantServer(files: string): void {
  mkdirSync(join(files, 'mcp'), { recursive: true });
  copyFileSync(server, join(files, 'mcp', 'server.mjs'));
  for (const name of NEEDED) {
    cpSync(join(modules, name), join(files, 'mcp', 'node_modules', name), {
      recursive: true,
      dereference: true,
      filter: (path) => !/\.(d\.[cm]?ts|map|md)$|\/(examples|spec)$/.test(path),
    });
  }
}

export interface HttpServer {
  readonly port: number;
  readonly child: ChildProcess;
  kill(): Promise<void>;
}

/** The same server over HTTP, in a process that can be killed. */
export async function startHttpServer(port = 0, mode: 'http' | 'sessions' | 'resumable' = 'http'): Promise<HttpServer> {
  const child = spawn(process.execPath, [server, mode, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const gone = once(child, 'exit');
  return {
    port: Number(line.toString()),
    child,
    kill: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** The processes of the server named `test` that runs now, looked at whenever it is asked; none without control groups. */
export function serverProcesses({ means: { groups } }: Pick<WorkspaceManager, 'means'>): () => number[] {
  const name = groups?.names().find((group) => group.includes('.mcp-test-'));
  return () => (groups === undefined || name === undefined ? [] : groups.members(groups.of(name)));
}
