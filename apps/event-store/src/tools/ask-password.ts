import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Misconfigured } from '#platform';

/** The password from the terminal, where it is not shown, or the first line of standard input. */
export async function askPassword(name: string): Promise<string> {
  const { stdin: input, stderr } = process;
  const terminal = input.isTTY;
  if (terminal) stderr.write(`Password of ${name}: `);
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: unseen, terminal });
  const { value: password = '' } = await lines[Symbol.asyncIterator]().next();
  lines.close();
  if (terminal) stderr.write('\n');
  if (password === '')
    throw new Misconfigured(
      'There is no password: type one, or give it on standard input, as in `printf %s "$PASSWORD" | …`.',
    );
  return password;
}
