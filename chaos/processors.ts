import { cpus } from 'node:os';

interface Times {
  readonly idle: number;
  readonly all: number;
}

/** How much of the processors' time is used, by whomever: recoveries on a busy machine take longer. */
export class Processors {
  private readonly began = timesNow();

  /** Since it was made; from 0 to 1. */
  busy(): number {
    const now = timesNow();
    const all = now.all - this.began.all;
    return all === 0 ? 0 : Math.round(100 * (1 - (now.idle - this.began.idle) / all)) / 100;
  }
}

function timesNow(): Times {
  const each = cpus().map(({ times }) => times);
  const idle = each.reduce((sum, times) => sum + times.idle, 0);
  const all = each.reduce((sum, { user, nice, sys, idle: rest, irq }) => sum + user + nice + sys + rest + irq, 0);
  return { idle, all };
}
