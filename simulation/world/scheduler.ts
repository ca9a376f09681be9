/**
 * The one clock of a simulated world, and the order in which everything in it happens.
 *
 * T1  A task runs at its moment; among tasks of one moment, in the order in which they were posted.
 * T2  All that a task has set off is done before the next one begins; so whoever runs belongs to the task's owner.
 * T3  A task of a dead owner never runs. One of a paused owner runs when it has woken.
 */
export interface Owner {
  readonly name: string;
  readonly alive: boolean;
  /** Until when it does nothing, in milliseconds of the world; 0 when it is awake. */
  readonly pausedUntil: number;
  /** How far its wall clock is ahead, in milliseconds. */
  readonly skewMs: number;
  readonly pid: number;
}

export interface Task {
  at: number;
  order: number;
  readonly owner: Owner | undefined;
  readonly run: () => void;
  cancelled: boolean;
}

const before = (a: Task, b: Task): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

export class Scheduler {
  /** Milliseconds since the world began. */
  now = 0;
  /** Whose task runs; undefined while the world itself is at work. */
  current: Owner | undefined;
  tasksRun = 0;
  private readonly heap: Task[] = [];
  private posted = 0;

  /** @param inTurns calls again and again, each time when all is done that the last call has set off, until it is false */
  constructor(private readonly inTurns: (turn: () => boolean) => Promise<void>) {}

  post(owner: Owner | undefined, delayMs: number, run: () => void): Task {
    const task: Task = { at: this.now + Math.max(0, delayMs), order: ++this.posted, owner, run, cancelled: false };
    this.push(task);
    return task;
  }

  /** Runs tasks until the condition holds, nothing is left, or the moment is reached. */
  async runUntil(isOver: () => boolean, limitMs: number): Promise<'over' | 'empty' | 'late'> {
    let end: 'over' | 'empty' | 'late' = 'over';
    await this.inTurns(() => {
      this.current = undefined;
      if (isOver()) return false;
      const task = this.next();
      if (task && task.at <= limitMs) {
        this.run(task);
        return true;
      }
      end = task ? 'late' : 'empty';
      return false;
    });
    return end;
  }

  private run(task: Task): void {
    this.now = Math.max(this.now, task.at);
    this.current = task.owner;
    this.tasksRun += 1;
    task.run();
  }

  /** The first task whose owner lives and is awake. */
  private next(): Task | undefined {
    for (;;) {
      const task = this.pop();
      if (!task) return undefined;
      const { owner } = task;
      if (task.cancelled || owner?.alive === false) continue;
      if (!owner || owner.pausedUntil <= task.at) return task;
      task.at = owner.pausedUntil;
      task.order = ++this.posted;
      this.push(task);
    }
  }

  private push(task: Task): void {
    const { heap } = this;
    let place = heap.length;
    heap.push(task);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent] as Task;
      if (!before(task, above)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = task;
  }

  private pop(): Task | undefined {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const child = right < heap.length && before(heap[right] as Task, heap[left] as Task) ? right : left;
      const below = heap[child] as Task;
      if (!before(below, last)) break;
      heap[place] = below;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}
