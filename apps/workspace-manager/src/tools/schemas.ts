import { createContext, Script } from 'node:vm';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ObjectSchema } from '#contracts';
import { messageOf, sha256 } from '#platform';

/** Schemas come from agent files and from servers that nobody vouches for. */
const LARGEST = 100_000;
const KEPT = 1_000;
/** A pattern that backtracks without end is given up on after so long, in milliseconds. */
const PATTERN_MS = 250;

/** What is wrong with an input; undefined when it fits. */
export type Check = (input: unknown) => string | undefined;

const compiled = new Map<string, Check>();

/** Compiles a JSON schema once. @throws Error with a sentence when it is none, or too large. */
export function checkOf(schema: ObjectSchema): Check {
  const text = JSON.stringify(schema);
  if (text.length > LARGEST) throw new Error(`it has more than ${LARGEST} characters`);
  const key = sha256(text);
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const check = compile(schema);
  if (compiled.size >= KEPT) compiled.delete(compiled.keys().next().value ?? '');
  compiled.set(key, check);
  return check;
}

/** Which draft it says it is, and its name, would only make it collide with others. */
function compile(declared: ObjectSchema): Check {
  const schema = Object.fromEntries(Object.entries(declared).filter(([key]) => key !== '$schema' && key !== '$id'));
  const ajv = new Ajv2020({
    strict: false,
    logger: false,
    validateFormats: false,
    validateSchema: false,
    addUsedSchema: false,
    code: { regExp: Object.assign(limitedPattern, { code: 'limitedPattern' }) },
  });
  const validate = ajv.compile(schema);
  return (input) => {
    try {
      return validate(input) ? undefined : ajv.errorsText(validate.errors, { dataVar: 'input' });
    } catch (error) {
      return `it cannot be checked (${messageOf(error)})`;
    }
  };
}

const context = createContext(Object.create(null) as object);
const test = new Script('pattern.test(text)');

/** A pattern whose tests end: a hostile one must not hold up the others. */
function limitedPattern(source: string, flags: string): { test(text: string): boolean } {
  const pattern = new RegExp(source, flags);
  return {
    test: (text) => {
      Object.assign(context, { pattern, text });
      return test.runInContext(context, { timeout: PATTERN_MS }) as boolean;
    },
  };
}
