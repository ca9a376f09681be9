import { z } from 'zod';
import { BusUrl, Flag, Host, HungMs, LogLevel, LogUrl, Port, readConfig } from '#platform';

/** The settings of a workspace-manager, by their environment variables. */
export const WorkspaceManagerConfig = z.object({
  /** The folder for the workspaces, the journal and this manager's name; one manager a folder. */
  BATON_DATA: z.string().min(1).default('.baton'),
  BATON_BUS_URL: BusUrl,
  BATON_LOG_URL: LogUrl,
  BATON_HEALTH_PORT: Port.default(0),
  BATON_HOST: Host,
  /** `1` or `true`: commands run without a sandbox where bubblewrap cannot run. */
  BATON_ALLOW_UNSANDBOXED: Flag,
  /** Where bubblewrap and the few other programs around a command are found; the command itself sees another one. */
  PATH: z.string().min(1).default('/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin'),
  /** A folder with a file for each secret; those of `BATON_SECRET_<NAME>` come first. */
  BATON_SECRETS_DIR: z.string().min(1).optional(),
  /** For how many days the files of a run are kept after its end. */
  BATON_KEEP_FILES_DAYS: z.coerce.number().min(0).max(3_650).default(14),
  /** For how many minutes commands in the background may run on while their run rests. */
  BATON_REST_MINUTES: z.coerce.number().min(0).max(10_080).default(15),
  /** How much a call's command may write to the disk in a second, in megabytes, on average; 0 for as much as it can. */
  BATON_WRITE_MB_PER_S: z.coerce.number().min(0).max(1_000_000).default(32),
  /** See `HungMs`. */
  BATON_HUNG_MS: HungMs,
  BATON_LOG_LEVEL: LogLevel,
});
export type WorkspaceManagerConfig = z.infer<typeof WorkspaceManagerConfig>;

export const workspaceManagerConfig = (): Readonly<WorkspaceManagerConfig> => readConfig(WorkspaceManagerConfig);

const SECRET = /^BATON_SECRET_([A-Z][A-Z0-9_]*)$/;

/** The secrets in the environment, by name. They are no settings: nothing prints them. */
export function secretVariables(environment: NodeJS.ProcessEnv = process.env): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(environment).flatMap(([variable, value]) => {
      const name = SECRET.exec(variable)?.[1];
      return name === undefined || value === undefined || value === '' ? [] : [[name, value] as const];
    }),
  );
}
