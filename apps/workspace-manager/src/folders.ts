import { join } from 'node:path';
import type { CallId, RunId } from '#contracts';

/** Where a manager keeps things, below its data folder. */
export class Folders {
  readonly root: string;
  readonly journal: string;
  readonly holder: string;
  readonly ballast: string;
  /** The few files of /etc that a sandbox sees. */
  readonly etc: string;

  constructor(data: string) {
    this.root = join(data, 'workspaces');
    this.journal = join(this.root, 'journal.db');
    this.holder = join(this.root, 'holder');
    this.ballast = join(this.root, 'ballast');
    this.etc = join(this.root, 'etc');
  }

  workspace(runId: RunId): string {
    return join(this.root, runId);
  }

  files(runId: RunId): string {
    return join(this.root, runId, 'files');
  }

  /** Where `files` is made before it is put in its place whole. */
  seed(runId: RunId): string {
    return join(this.root, runId, 'seed');
  }

  /** What a running command leaves about itself; see shim.ts. */
  call(runId: RunId, callId: CallId): string {
    return join(this.root, runId, 'calls', callId);
  }
}
