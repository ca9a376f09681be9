import { type ChildProcess, fork, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { openLog } from './log-file.js';
import type { ServiceSpec } from './service-spec.js';

/**
 * Starts a service that can outlive us: its output goes to its log by file descriptor, and it leads a process group
 * of its own, so that neither our death nor a Ctrl-C in our terminal reaches it.
 */
export function launch(spec: ServiceSpec, logFile: string, variables: NodeJS.ProcessEnv): ChildProcess {
  const log = openLog(logFile);
  const env = environmentOf(spec, variables);
  const { program } = spec;
  try {
    if (program.kind === 'native') {
      return spawn(program.path, program.args, { env, detached: true, stdio: ['ignore', log, log] });
    }
    return fork(program.module, [], { env, detached: true, execArgv: [], stdio: ['ignore', log, log, 'ipc'] });
  } finally {
    closeSync(log);
  }
}

/** Agents' secrets (`BATON_SECRET_*`, `BATON_SECRETS_DIR`) are for the one service that resolves them. */
export function environmentOf({ env, secretsFolder }: ServiceSpec, variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (secretsFolder !== undefined) return { BATON_SECRETS_DIR: secretsFolder, ...variables, ...env };
  const others = Object.entries(variables).filter(([name]) => !/^BATON_SECRET(?:_|S_DIR$)/.test(name));
  return { ...Object.fromEntries(others), ...env };
}
