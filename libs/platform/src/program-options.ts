import { type ParseArgsConfig, parseArgs } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;

const WRONG_USAGE = 2;

/** What a program says instead of beginning, and its exit code. */
interface Told {
  readonly words: string;
  readonly exitCode: 0 | typeof WRONG_USAGE;
}
type Values<T extends Options> = ReturnType<typeof parseArgs<{ options: T }>>['values'];

/** The options in the words of a program that `npm run NAME` starts, or what it says instead. */
export function readOptions<const T extends Options>(
  name: string,
  options: T,
  words: readonly string[],
): { readonly values: Values<T> } | Told {
  const all = Object.entries(options).map(([option, { type }]) => `[--${option}${type === 'string' ? ' VALUE' : ''}]`);
  const usage = `npm run ${name} -- ${all.join(' ')}`;
  if (words.includes('--help')) return { words: usage, exitCode: 0 };
  try {
    return { values: parseArgs({ args: [...words], options }).values };
  } catch (error) {
    // Node's own advice, how to give such a word all the same, begins after the first sentence.
    const [sentence = ''] = String(error)
      .replace(/^\w+ \[\w+\]: /, '')
      .split(/\. |\.$/, 1);
    return { words: `${sentence}.\n${usage}`, exitCode: WRONG_USAGE };
  }
}

/** The same for a program's own words: a wrong option, or `--help`, ends the process. */
export function programOptions<const T extends Options>(
  name: string,
  options: T,
  words: readonly string[] = process.argv.slice(2),
): Values<T> {
  const read = readOptions(name, options, words);
  if ('values' in read) return read.values;
  (read.exitCode === 0 ? process.stdout : process.stderr).write(`${read.words}\n`);
  process.exit(read.exitCode);
}
