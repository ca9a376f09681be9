import { once } from 'node:events';
import type { CommandFactory } from '../command.js';
import { namedRun } from '../runs/named-run.js';
import { type Addressed, addressedCommand, gatewayOf } from './addressed.js';

export const blobCommand: CommandFactory = (context) =>
  addressedCommand('blob')
    .description('prints what an event of a run names by its digest: a whole output, an image, a document, a file')
    .argument('<run>', 'its id, the beginning of it, or latest')
    .argument('<digest>', 'as `baton events` shows it')
    .action(async (run: string, digest: string, options: Addressed) => {
      const gateway = gatewayOf(context, options);
      for await (const piece of gateway.blob(await namedRun(gateway, run), digest)) {
        if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
      }
    });
