import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { type JSONRPCMessage, JSONRPCMessageSchema } from '@modelcontextprotocol/sdk/types.js';
import { newId, Unavailable } from '#platform';
import { signal, YIELDING } from '../processes.js';

/** What a server may send in answer to one message of ours before it is taken for one that floods. */
const MOST_BYTES = 16 * 1024 * 1024;
const MOST_MESSAGES = 10_000;
/** What is kept of a server's standard error, to say why it ended. */
const STDERR_BYTES = 2_000;
/** How long a server has to end by itself once its standard input is closed. */
const GRACE_MS = 1_000;
const NEWLINE = 0x0a;

/** Joins the control groups in the first argument, then becomes the program in the others. */
const JOIN = 'for group in $1; do echo 0 >"$group/cgroup.procs" || exit 125; done; shift; exec "$@"';

export interface SandboxedServer {
  readonly commandLine: readonly string[];
  /** Folders of control groups. */
  readonly groups: readonly string[];
  readonly path: string;
  /** The descriptor with its variables; see the entrance in sandbox.ts. */
  readonly variables: number;
  /** Those of its processes that are no children of ours. */
  readonly others: () => readonly number[];
}

/** Speaks to an MCP server that runs in the sandbox, a line a message. The server ends with the manager. */
export class SandboxedTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;

  /** Each start of a server is a session of its own. */
  readonly sessionId = newId();
  private readonly child: ChildProcess;
  /** Resolves when the process is gone. */
  readonly exited: Promise<unknown>;
  private parts: Buffer[] = [];
  private bytes = 0;
  private messages = 0;
  private stderr = '';

  constructor(private readonly server: SandboxedServer) {
    const { commandLine, groups, path, variables } = server;
    const words = [...YIELDING.words, '/bin/sh', '-c', JOIN, 'baton-mcp', groups.join(' '), ...commandLine];
    this.child = spawn(YIELDING.program, words, {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', 'ignore', variables],
      env: { PATH: path },
    });
    this.exited = once(this.child, 'exit').catch(() => undefined);
  }

  async start(): Promise<void> {
    this.child.once('error', (error) => this.onerror?.(error));
    this.child.once('close', () => this.onclose?.());
    this.stdin.on('error', (error) => this.onerror?.(error));
    this.stdout.on('data', (chunk: Buffer) => this.hear(chunk));
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr = `${this.stderr}${chunk.toString('utf8')}`.slice(-STDERR_BYTES);
    });
  }

  send(message: JSONRPCMessage): Promise<void> {
    this.bytes = 0;
    this.messages = 0;
    return new Promise((resolve, reject) => {
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        reject(new Unavailable('The server has ended.'));
      else this.stdin.write(`${JSON.stringify(message)}\n`, (error) => (error ? reject(error) : resolve()));
    });
  }

  async close(): Promise<void> {
    this.stdin.end();
    await Promise.race([this.exited, pause(GRACE_MS, undefined, { ref: false })]);
    this.kill();
  }

  /** Ends it at once; `why`, a sentence, stands for its last words. */
  end(why: string): void {
    this.stderr = why;
    this.kill();
  }

  /** What it said last on its standard error; secrets are still in it. */
  get lastWords(): string {
    return this.stderr.trim();
  }

  private get stdin(): Writable {
    return this.child.stdin as Writable;
  }

  private get stdout(): Readable {
    return this.child.stdout as Readable;
  }

  private kill(): void {
    const { pid } = this.child;
    if (pid === undefined) return;
    signal(-pid, 'SIGKILL');
    for (const other of this.server.others()) signal(other, 'SIGKILL');
  }

  private hear(chunk: Buffer): void {
    this.bytes += chunk.byteLength;
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      this.messages += 1;
      if (this.isFlood()) return;
      this.read(Buffer.concat([...this.parts.splice(0), chunk.subarray(from, at)]).toString('utf8'));
      from = at + 1;
    }
    if (!this.isFlood() && from < chunk.byteLength) this.parts.push(chunk.subarray(from));
  }

  private isFlood(): boolean {
    if (this.bytes <= MOST_BYTES && this.messages <= MOST_MESSAGES) return false;
    this.parts = [];
    this.stdout.removeAllListeners('data').resume();
    this.end('It sent far more than was asked for, so it was ended.');
    return true;
  }

  /** Servers print all kinds of things; only what is a message counts. */
  private read(line: string): void {
    if (!line.startsWith('{')) return;
    try {
      this.onmessage?.(JSONRPCMessageSchema.parse(JSON.parse(line)));
    } catch (error) {
      this.onerror?.(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
