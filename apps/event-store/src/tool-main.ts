import { Misconfigured, messageOf } from '#platform';
import { makeUser } from './tools/user.js';

/** What is done beside a running server; each takes the words after its name. */
const TOOLS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  user: makeUser,
};

try {
  const [name = '', ...args] = process.argv.slice(2);
  const tool = TOOLS[name];
  if (!tool)
    throw new Misconfigured(`There is no tool ${JSON.stringify(name)}: there are ${Object.keys(TOOLS).join(', ')}.`);
  await tool(args);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
