import { builtInTools } from '#contracts';
import { messageOf } from '#platform';
import type { DiskUse } from '../disk-use.js';
import { FileRefused } from '../errors.js';
import type { Folders } from '../folders.js';
import type { CallStart, HeldWorkspace, JournalledCall } from '../journal/entries.js';
import type { Journal } from '../journal/journal.js';
import type { Owner } from '../sandbox.js';
import { type RawResult, rawResult } from './call-results.js';
import { FileTools } from './file-tools.js';
import { fileResult } from './media.js';
import { searchFiles } from './search-files.js';
import { abortable, type Began, type Conclusion, concluded, type Execution, type ToolKind } from './tool-kind.js';

const FILE_TOOLS = ['read_file', 'write_file', 'edit_file', 'list_files', 'search_files'] as const;
type FileTool = (typeof FILE_TOOLS)[number];
const MIB = 1024 * 1024;

export interface FileKindParts {
  readonly journal: Journal;
  readonly folders: Folders;
  readonly disk: DiskUse;
  readonly owner: Owner | undefined;
}

/** The tools that work on files directly. */
export class FileKind implements ToolKind {
  constructor(private readonly parts: FileKindParts) {}

  has(tool: string): boolean {
    return FILE_TOOLS.some((name) => name === tool);
  }

  execute(execution: Execution, began: Began): Promise<Conclusion> {
    return abortable(began, async (signal) => {
      try {
        const output = await this.perform(execution, signal);
        return concluded(Buffer.isBuffer(output) ? rawResult('ok', output) : output);
      } catch (error) {
        const { stopping } = this.parts.journal.call(execution.start) ?? {};
        const outcome = signal.aborted && stopping !== undefined && stopping !== 'disk-full' ? stopping : 'error';
        // A change is the very last step of its tool, so after an error nothing has changed.
        return concluded(rawResult(outcome, messageOf(error)));
      }
    });
  }

  private async perform({ start, input, held }: Execution, signal: AbortSignal): Promise<Buffer | RawResult> {
    const tools = this.toolsOf(start);
    switch (start.tool as FileTool) {
      case 'read_file': {
        const asked = builtInTools.read_file.input.parse(input);
        const content = await tools.read(asked);
        return asked.offset === undefined && asked.limit === undefined ? fileResult(asked.path, content) : content;
      }
      case 'list_files':
        return tools.list(builtInTools.list_files.input.parse(input));
      case 'search_files':
        return searchFiles(tools, builtInTools.search_files.input.parse(input), signal);
      case 'write_file': {
        const { content, ...rest } = builtInTools.write_file.input.parse(input);
        return this.changing(held, Buffer.byteLength(content), () => tools.write({ content, ...rest }));
      }
      case 'edit_file': {
        const edit = builtInTools.edit_file.input.parse(input);
        const more = Math.max(0, Buffer.byteLength(edit.new_text) - Buffer.byteLength(edit.old_text));
        return this.changing(held, more, () =>
          tools.edit(edit, (digests) => this.parts.journal.editing(start, digests)),
        );
      }
    }
  }

  /** Refuses to add to a workspace that is full. */
  private async changing(held: HeldWorkspace, bytes: number, change: () => Promise<Buffer>): Promise<Buffer> {
    const { disk } = this.parts;
    const used = await disk.of(held.runId);
    if (used + bytes > held.spec.diskMb * MIB) {
      throw new FileRefused(
        `The workspace is full: ${(used / MIB).toFixed(1)} of ${held.spec.diskMb} MiB are taken, and ${bytes} bytes ` +
          'more do not fit. Remove files first; nothing was changed.',
      );
    }
    try {
      return await change();
    } finally {
      disk.changed(held.runId);
    }
  }

  /** Reading again is harmless and writing again writes the same bytes; an edit shows by the file whether it was made. */
  async resume(call: JournalledCall): Promise<Conclusion> {
    if (call.tool !== 'edit_file' || call.edit === undefined) return { kind: 'void' };
    const { path, before, after } = call.edit;
    const now = await this.toolsOf(call)
      .digestOf(path)
      .catch(() => undefined);
    if (now === before) return { kind: 'void' };
    if (now === after) return concluded(rawResult('ok', `Edited ${path}: 1 replacement.`));
    const reason = `${path} was changed by others since, so it cannot be told whether the edit was made.`;
    return { kind: 'unknown', reason, executions: 1 };
  }

  private toolsOf(call: CallStart): FileTools {
    return new FileTools(this.parts.folders.files(call.runId), this.parts.owner);
  }
}
