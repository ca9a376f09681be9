import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { Misconfigured, messageOf } from '#platform';
import { invalid } from '../grpc/refusal.js';
import { type Answer, type Asked, json, problem } from './answer.js';
import type { Route } from './routes.js';

/** What an operator may ask of the running server. */
export interface Maintenance {
  readonly scavenge: () => Promise<object>;
  /** Writes a copy of everything to a new file. */
  readonly backup: (file: string) => Promise<object>;
}

const BackupRequest = z.object({ file: z.string().refine(isAbsolute) });

/** `POST /admin/scavenge` and `POST /admin/backup {"file"}`: for operators, from this machine; 200 with a report. */
export const maintenanceRoutes = ({ scavenge, backup }: Maintenance): readonly (readonly [string, Route])[] => [
  ['POST /admin/scavenge', { for: 'operators', answer: (asked) => local(asked, scavenge) }],
  [
    'POST /admin/backup',
    { for: 'operators', answer: (asked) => local(asked, async () => backup(await fileIn(asked))) },
  ],
];

async function local({ fromThisMachine }: Asked, work: () => Promise<object>): Promise<Answer> {
  if (!fromThisMachine) return problem(403, 'Not from here', 'Ask from the machine on which the server runs.');
  try {
    return json(200, await work());
  } catch (error) {
    if (error instanceof Misconfigured) throw invalid(error.message);
    throw error;
  }
}

/** @throws Refusal */
async function fileIn({ body }: Asked): Promise<string> {
  const request = BackupRequest.safeParse(parsed(await body()));
  if (!request.success)
    throw invalid('The body has to be {"file": "…"}, the absolute path of a file that is to be made.');
  return request.data.file;
}

/** @throws Refusal */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`The body is no JSON (${messageOf(error)}).`);
  }
}
