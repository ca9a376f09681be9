/** The report of the time of the session, as the gateway has given it; moments as it writes them. */
export interface ToldReport {
  readonly since: string;
  readonly until: string;
  readonly headline: ToldHeadline;
  readonly needs: readonly ToldNeed[];
  readonly stories: readonly ToldStory[];
  readonly findings: readonly { readonly sentence: string; readonly needsPerson: boolean }[];
  readonly runs: readonly ToldRun[];
  readonly left: { readonly runs: number };
}

export interface ToldHeadline {
  readonly runs: number;
  readonly completed: number;
  readonly failed: number;
  readonly halted: number;
  readonly cancelled: number;
  readonly open: number;
  readonly itemsDone: number;
  readonly itemsFailed: number;
  readonly segments: number;
  readonly steps: number;
  readonly deaths: number;
  readonly deathsHealed: number;
  readonly longestWithoutProgress?: { readonly ms: number; readonly run: string } | undefined;
  readonly dollars: number;
  readonly runsWithoutPrice: number;
  readonly needs: number;
}

interface ToldNeed {
  readonly kind: string;
  readonly run?: string | undefined;
  readonly sentence: string;
}

interface ToldStory {
  readonly kind: string;
  readonly from: string;
  readonly incidents: number;
  readonly healed: number;
  readonly open: number;
  readonly ended: number;
  readonly sentence: string;
}

export interface ToldRun {
  readonly run: string;
  readonly incidents: readonly ToldIncident[];
  readonly moreIncidents: number;
}

export interface ToldIncident {
  readonly kind: string;
  readonly outcome: string;
  readonly noticedAt: string;
  readonly overAt?: string | undefined;
  readonly withoutProgressMs?: number | undefined;
  readonly segment?: number | undefined;
  readonly runner?: { readonly pid: number } | undefined;
  readonly times: number;
  readonly noticed: string;
  readonly lost?: { readonly tokens: number; readonly dollars?: number | undefined } | undefined;
}
