import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BatonError } from '#platform';
import { codeOf } from '../errors.js';
import { Redactor, type SecretValue } from './redaction.js';

/** A secret cannot be had; the text names it and never says its value. */
export class SecretUnavailable extends BatonError {
  readonly code = 'secret-unavailable';
  readonly remedy = 'tell';
}

/** Where secrets come from: variables of the manager's environment by their names, then files in a folder. */
export interface SecretSources {
  readonly variables: ReadonlyMap<string, string>;
  readonly folder: string | undefined;
}

/** Anything shorter would be found by chance in every other output. */
const SHORTEST = 8;
const LONGEST_BYTES = 16 * 1024;
const PLACEHOLDER = /\{secret:([^{}]*)\}/g;

/** Resolves secrets at the moment of use, for those that an agent names only. */
export class Secrets {
  /** Values that were given out, by name: one that has been replaced since is kept out of outputs still. */
  private readonly used = new Map<string, Set<string>>();

  constructor(private readonly sources: SecretSources) {}

  /** Puts the values in the place of `{secret:NAME}`. @throws SecretUnavailable */
  fill(template: string, named: readonly string[]): string {
    return template.replace(PLACEHOLDER, (_, name: string) => this.value(name, named));
  }

  /** @throws SecretUnavailable */
  fillAll(templates: Readonly<Record<string, string>>, named: readonly string[]): Record<string, string> {
    return Object.fromEntries(Object.entries(templates).map(([key, value]) => [key, this.fill(value, named)]));
  }

  /** What keeps the named secrets out of outputs. */
  redactor(named: readonly string[]): Redactor {
    return new Redactor(this.values(named));
  }

  /** The values of the named secrets, as far as there are any: now, and since this manager began. */
  values(named: readonly string[]): SecretValue[] {
    return named.flatMap((name) => {
      const used = this.used.get(name) ?? new Set();
      return [...new Set([...used, ...this.current(name)])].map((value) => ({ name, value }));
    });
  }

  private current(name: string): string[] {
    try {
      const value = this.find(name);
      return value !== undefined && isUsable(value) ? [value] : [];
    } catch {
      return []; // a file that cannot be read: whoever needs the value is told
    }
  }

  private value(name: string, named: readonly string[]): string {
    if (!named.includes(name)) {
      throw new SecretUnavailable(
        `The secret ${name} is not for this agent: name it under \`secrets\` in the agent file.`,
      );
    }
    const value = this.find(name);
    if (value === undefined) {
      const file = this.sources.folder === undefined ? '' : `, or put it into the file ${name} in BATON_SECRETS_DIR`;
      throw new SecretUnavailable(
        `The secret ${name} is not set: set BATON_SECRET_${name} for the workspace-manager${file}.`,
      );
    }
    if (!isUsable(value)) {
      throw new SecretUnavailable(
        `The secret ${name} cannot be used: it must have ${SHORTEST} characters at least, ${LONGEST_BYTES} bytes at most, ` +
          'and no NUL.',
      );
    }
    this.used.set(name, (this.used.get(name) ?? new Set()).add(value));
    return value;
  }

  private find(name: string): string | undefined {
    const variable = this.sources.variables.get(name);
    if (variable !== undefined || this.sources.folder === undefined) return variable;
    try {
      return readFileSync(join(this.sources.folder, name), 'utf8').replace(/\r?\n$/, '') || undefined;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw new SecretUnavailable(`The file of the secret ${name} cannot be read (${codeOf(error) ?? 'unknown'}).`);
    }
  }
}

const isUsable = (value: string): boolean =>
  value.length >= SHORTEST && Buffer.byteLength(value) <= LONGEST_BYTES && !value.includes('\0');
