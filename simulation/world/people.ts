import { type CallId, momentOf, RunEvent } from '#contracts';
import {
  type Run,
  type Wished,
  type Wisher,
  wishApprove,
  wishCancel,
  wishDeny,
  wishMessage,
  wishPause,
  wishResume,
} from '#domain';
import { Runs } from '#log';
import { LogPort } from './log-port.js';
import { type PlayedRun, requestOf, THE_ANSWER, THE_MESSAGE } from './play.js';
import type { Process, World } from './world.js';

const AGAIN_MS = 700;
const THINKS_MS = 400;

/** What people may want while a run is at work. */
export const WHIMS = ['cancel', 'pause', 'message', 'interrupt'] as const;
export type Whim = (typeof WHIMS)[number];
/** Whoever pauses a run lets it go on after this long, in milliseconds. */
const PAUSED_MS = 4_000;

type Message = Parameters<typeof wishMessage>[2];
type Wish = (run: Run, wisher: Wisher) => Wished;

/**
 * The people who want one run, through a gateway. Each repeats a wish until it has a receipt, and has the next one after it. They answer
 * what they are asked; with that the run's message comes at a place where it cannot matter when.
 */
export class People {
  private gateway: Process | undefined;
  private readonly wishes: (() => Promise<unknown>)[] = [];
  private runs: Runs<'gateway'> | undefined;
  private busy = false;
  private whims = 0;

  constructor(
    private readonly world: World,
    private readonly run: PlayedRun,
  ) {
    const ofTheRun = `run-${run.id}`;
    world.onCommit(({ stream, type, data }) => {
      if (type !== 'ApprovalRequested' && type !== 'ToolCallStarted') return;
      if (stream !== ofTheRun || (type === 'ToolCallStarted' && !isQuestion(data))) return;
      const event = RunEvent.parse({ type, data });
      if (event.type === 'ApprovalRequested') this.world.post(undefined, THINKS_MS, () => this.decide(event.data));
      if (event.type === 'ToolCallStarted') this.world.post(undefined, THINKS_MS, () => this.answer(event.data.callId));
    });
  }

  /** A gateway is there (again). */
  serve(process: Process): void {
    this.gateway = process;
    this.runs = new Runs(new LogPort(this.world, process), { app: 'gateway', id: 'a person' });
    this.busy = false;
    this.next();
  }

  request(): void {
    this.queue(async () => await this.runs?.request(this.run.id, requestOf(this.run, Date.now())));
  }

  wish(wish: Wish): void {
    this.queue(async () => {
      await this.runs?.change(this.run.id, (run) => {
        const wished = wish(run, { by: 'a person', at: momentOf(Date.now()) });
        return wished.events ?? [];
      });
    });
  }

  /** Somebody wants something, now. */
  want(whim: Whim): void {
    this.whims += 1;
    const messageId = `whim-${this.whims}`;
    const text = `Think of it (${messageId}).`;
    switch (whim) {
      case 'cancel':
        return this.wish((run, wisher) => wishCancel(run, wisher, 'It is not needed any more.'));
      case 'message':
      case 'interrupt':
        return this.say({ messageId, text, interrupt: whim === 'interrupt' });
      case 'pause':
        this.wish(wishPause);
        this.world.post(undefined, PAUSED_MS, () => this.wish(wishResume));
    }
  }

  private decide({ callId, inputDigest, about }: Extract<RunEvent, { type: 'ApprovalRequested' }>['data']): void {
    const verdict = { callId, inputDigest };
    if (about !== 'doubt') {
      this.say({ messageId: 'the-message', text: THE_MESSAGE, interrupt: false });
      return this.wish((run, wisher) => wishApprove(run, wisher, verdict));
    }
    // Who is asked what became of a call goes and looks.
    const isDone = this.world.ledgerOf(this.run.id).effects.some((effect) => effect.callId === callId);
    const found = { ...verdict, reason: 'I have looked.', decision: 'done' as const };
    this.wish((run, wisher) => (isDone ? wishDeny(run, wisher, found) : wishApprove(run, wisher, verdict)));
  }

  private answer(callId: CallId): void {
    this.say({ messageId: `answer-${callId}`, text: THE_ANSWER, interrupt: false, callId });
  }

  private say(message: Message): void {
    this.world.ledgerOf(this.run.id).said.add(message.text);
    this.wish((run, wisher) => wishMessage(run, wisher, message));
  }

  private queue(wish: () => Promise<unknown>): void {
    this.wishes.push(wish);
    this.next();
  }

  private next(): void {
    const { gateway, world } = this;
    const wish = this.wishes[0];
    if (this.busy || !wish || !gateway?.alive) return;
    this.busy = true;
    const settle = (received: boolean): void => {
      if (this.gateway !== gateway || !gateway.alive) return;
      this.busy = false;
      if (received) this.wishes.shift();
      if (received) this.next();
      else world.post(undefined, AGAIN_MS, () => this.next());
    };
    world.post(gateway, world.trip(), () => {
      void wish().then(
        () => settle(true),
        () => settle(false),
      );
    });
  }
}

/** Most calls are no question to people, and need not be read to know it. */
const isQuestion = (data: unknown): boolean =>
  typeof data === 'object' && data !== null && 'tool' in data && data.tool === 'ask_human';
