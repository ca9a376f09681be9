import { composeService } from './compose-service.js';

/** A service of docker-compose.yml that can be started alone in a container. */
export interface AvailableContainer {
  /** Resolves when the service answers. `port` is the one that it listens on in the container. */
  start(port: number): Promise<StartedContainer>;
}

export interface StartedContainer {
  /** Host and port at which the test reaches it. */
  readonly address: string;
  stop(): Promise<void>;
}

const START_MS = 90_000;

/**
 * What is needed to start the service, when a Docker engine and the image are there already: nothing is ever pulled.
 * Otherwise undefined, and the reason on standard error.
 */
export async function availableContainer(name: string): Promise<AvailableContainer | undefined> {
  const service = composeService(name);
  // testcontainers' own clean-up is a container too, whose image it would pull.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  const { GenericContainer, getContainerRuntimeClient, ImageName, Wait } = await import('testcontainers');
  const missing = await getContainerRuntimeClient().then(
    async ({ image }) =>
      (await image.exists(ImageName.fromString(service.image))) ? undefined : `the image ${service.image} is not here`,
    () => 'no Docker engine answers',
  );
  if (missing !== undefined) {
    process.stderr.write(`Skipped: tests of ${name} in a container, because ${missing}.\n`);
    return undefined;
  }
  return {
    start: async (port) => {
      const started = await new GenericContainer(service.image)
        .withCommand(service.command)
        .withEnvironment(service.environment)
        .withExposedPorts(port)
        .withWaitStrategy(Wait.forListeningPorts())
        .withStartupTimeout(START_MS)
        .start();
      return {
        address: `${started.getHost()}:${started.getMappedPort(port)}`,
        stop: async () => void (await started.stop()),
      };
    },
  };
}
