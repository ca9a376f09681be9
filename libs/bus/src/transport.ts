/**
 * Lets Nest controllers consume the bus: `@Consumes(AdvanceRun)` gets the validated body.
 *
 * T1  Every contract given has exactly one handler, and every handler a contract; otherwise the start is refused.
 * T2  A message is settled by what its handler does to the very end, streams included, never before.
 * T3  The handler's own error decides (`BusErrorFilter` carries it past Nest's default filter, which hides it).
 */
import { type ArgumentsHost, Catch, type RpcExceptionFilter } from '@nestjs/common';
import { BaseRpcContext, type CustomTransportStrategy, EventPattern, Server } from '@nestjs/microservices';
import { lastValueFrom, type Observable, throwError } from 'rxjs';
import type { MessageContract } from '#contracts';
import { Misconfigured } from '#platform';
import type { Bus, ConsumeOptions } from './bus.js';
import type { Consuming } from './consume.js';
import type { Arrival } from './deliver.js';

/** Which contract is consumed under which durable name. */
export interface Route extends ConsumeOptions {
  readonly contract: MessageContract;
  readonly durable: string;
}

/** Marks the controller's method that handles a contract's messages. */
export const Consumes = ({ subject }: MessageContract): MethodDecorator => EventPattern(subject) as MethodDecorator;

/** What `@Ctx()` gives to a handler. */
export class BusContext extends BaseRpcContext<[Arrival]> {
  get arrival(): Arrival {
    return this.getArgByIndex(0);
  }
}

/** To be used by every app on this transport: `app.useGlobalFilters(new BusErrorFilter())`. */
@Catch()
export class BusErrorFilter implements RpcExceptionFilter<unknown> {
  catch(error: unknown, _host: ArgumentsHost): Observable<never> {
    return throwError(() => error);
  }
}

export class BusTransport extends Server implements CustomTransportStrategy {
  override readonly propagatesEventHandlerErrors = true;
  private consuming: Consuming[] = [];

  constructor(
    private readonly bus: Bus,
    private readonly routes: readonly Route[],
  ) {
    super();
  }

  listen(callback: (error?: unknown) => void): void {
    try {
      this.assertRouted();
    } catch (error) {
      callback(error);
      return;
    }
    this.consuming = this.routes.map(({ contract, durable, ...options }) =>
      this.bus.consume(contract, durable, (body, arrival) => this.handle(contract.subject, body, arrival), options),
    );
    callback();
  }

  /** Resolves when the running handlers are done. */
  async close(): Promise<void> {
    await Promise.all(this.consuming.map((one) => one.stop()));
  }

  /** Nest asks for it; the bus reports to the logger. */
  on(): void {}

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the signature is Nest's
  unwrap<T>(): T {
    return this.bus as T;
  }

  private async handle(subject: string, body: unknown, arrival: Arrival): Promise<void> {
    const handler = this.getHandlerByPattern(subject);
    if (handler === null) throw new Misconfigured(`No handler for ${subject}.`);
    const result: unknown = await handler(body, new BusContext([arrival]));
    await lastValueFrom(this.transformToObservable(result), { defaultValue: undefined });
  }

  private assertRouted(): void {
    const subjects = new Set(this.routes.map(({ contract }) => contract.subject));
    const missing = [...subjects].filter((subject) => !this.messageHandlers.has(subject));
    const stray = [...this.messageHandlers.keys()].filter((subject) => !subjects.has(subject));
    const twice = [...this.messageHandlers].filter(([, handler]) => handler.next).map(([subject]) => subject);
    const problems = [
      ...missing.map((subject) => `${subject} has no handler`),
      ...stray.map((subject) => `the handler of ${subject} has no contract`),
      ...twice.map((subject) => `${subject} has more than one handler`),
    ];
    if (problems.length > 0) throw new Misconfigured(`The bus cannot be served: ${problems.join('; ')}.`);
  }
}
