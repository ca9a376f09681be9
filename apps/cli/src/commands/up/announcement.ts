import { relative } from 'node:path';
import type { DataFolder } from '../../cluster/data-folder.js';
import { LOOPBACK } from '../../cluster/ports.js';

export interface Announced {
  readonly data: DataFolder;
  readonly port: number;
  readonly realModel: boolean;
  readonly detached: boolean;
}

/** What a person wants to know once the cluster is up. */
export function announcement({ data, port, realModel, detached }: Announced): string {
  const where = relative('.', data.path) === '.baton' ? '' : ` --data ${shown(data.path)}`;
  return [
    '',
    `Baton is up at http://${LOOPBACK}:${port}`,
    `  key    ${shown(data.keyFile())}`,
    `  data   ${shown(data.path)}`,
    `  logs   ${shown(data.logs())}`,
    `  model  ${realModel ? 'Claude, with ANTHROPIC_API_KEY' : 'the local simulator (set ANTHROPIC_API_KEY to use Claude)'}`,
    '',
    'Try next:',
    `  npx baton demo${where}  twenty items, one runner killed on the way`,
    `  npx baton ps${where}    every process of the cluster`,
    `  ${detached ? `npx baton down${where}` : 'Ctrl-C'}  stops it; the next start goes on where it was`,
    '',
  ].join('\n');
}

/** The shorter of the absolute path and the one from here. */
function shown(path: string): string {
  const fromHere = relative('.', path);
  return fromHere !== '' && fromHere.length < path.length ? fromHere : path;
}
