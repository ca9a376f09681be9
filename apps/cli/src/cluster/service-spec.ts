/** How one service of the cluster is started, known to be ready, and stopped. */
export interface ServiceSpec {
  readonly name: string;
  readonly program: NodeProgram | NativeProgram;
  /** Added to the variables that the supervisor has itself. */
  readonly env: Readonly<Record<string, string>>;
  /** Where this service finds agents' secrets unless the environment says otherwise; without it the service gets none. */
  readonly secretsFolder?: string;
  readonly port?: number;
  /** Names of services that must be ready before the first start of this one. */
  readonly needs: readonly string[];
  /** Groups are stopped one after the other, the lowest first. */
  readonly stopGroup: number;
}

/** A Node module, started with an IPC channel on which it says when it is ready. */
interface NodeProgram {
  readonly kind: 'node';
  readonly module: string;
}

/** A program that knows nothing of us: it is ready when its port accepts connections. */
interface NativeProgram {
  readonly kind: 'native';
  readonly path: string;
  readonly args: readonly string[];
  readonly readyPort: number;
}
