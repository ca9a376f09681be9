import { platform } from 'node:os';
import { find } from './commands.mjs';
import { say } from './say.mjs';
import { commandToInstall, installPackage } from './system-packages.mjs';

/** The sandbox of local workspaces, where the system has it: its absence is said, and is no error here. */
export function ensureBubblewrap() {
  if (platform() !== 'linux') return undefined;
  if (find('bwrap')) return find('bwrap');
  installPackage('bubblewrap', (by) =>
    say(`bubblewrap (the sandbox of local workspaces) is missing; installing it with ${by} …`),
  );
  if (find('bwrap')) return find('bwrap');
  const command = commandToInstall('bubblewrap');
  say(
    `bubblewrap could not be installed without a question, so agents' commands will be refused until it is there${
      command ? ` (\`${command}\`)` : ''
    } or unsandboxed work is allowed explicitly.`,
  );
  return undefined;
}
