import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Workspaces } from '../src/workspaces.js';

type Asked = Pick<Workspaces, keyof Workspaces> & { tidy(nothing: object): Promise<void> };
type Request<K extends keyof Asked> = Parameters<Asked[K]>[0];
type Answer<K extends keyof Asked> = Awaited<ReturnType<Asked[K]>>;

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** A manager in a process that can be killed. */
export class ManagerUnderTest {
  private asked = 0;

  private constructor(private readonly child: ChildProcess) {}

  static async start(folder: string): Promise<ManagerUnderTest> {
    const execArgv = ['-C', 'baton-src', '--import', here('ts-run.mjs')];
    const child = fork(here('manager-process.ts'), [folder], {
      execArgv,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child.setMaxListeners(0);
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => Promise.reject(new Error('the manager did not start'))),
    ]);
    return new ManagerUnderTest(child);
  }

  ask<K extends keyof Asked>(operation: K, request: Request<K>): Promise<Answer<K>> {
    this.asked += 1;
    const id = this.asked;
    return new Promise((resolve, reject) => {
      const hear = (message: { id: number; value: Answer<K>; error?: object }): void => {
        if (message.id !== id) return;
        this.child.off('message', hear);
        if (message.error) reject(Object.assign(new Error('refused'), message.error));
        else resolve(message.value);
      };
      this.child.on('message', hear);
      this.child.once('exit', () => reject(new Error('the manager is gone')));
      this.child.send({ id, operation, request });
    });
  }

  /** SIGSTOP and SIGCONT, to hold a manager at some moment. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(name);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}
