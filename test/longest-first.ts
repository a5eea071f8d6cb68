/**
 * In which order vitest runs test files. Of a fresh checkout it knows no times and begins with the largest files:
 * a short one that takes minutes would come last, and one core wait for the other.
 */
import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes long for its size, in this order; then the others, in vitest's. */
const LONGEST: readonly RegExp[] = [
  /^test\/sim\/(seeds|key-year|rings|deliveries)\.test\.ts$/,
  /^test\/e2e\/.*-crash\.test\.ts$/,
  /^test\/e2e\/(lab|demo)/,
  /^lab\/driver\/namespaces\.test\.ts$/,
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId, project }: TestSpecification): number => {
      const path = relative(this.ctx.config.root, moduleId);
      const place = LONGEST.findIndex((pattern) => pattern.test(path));
      const { groupOrder } = project.config.sequence;
      return groupOrder * (LONGEST.length + 1) + (place < 0 ? LONGEST.length : place);
    };
    return sorted
      .map((file) => ({ file, rank: rank(file) }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ file }) => file);
  }
}
