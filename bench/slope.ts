// How fast something grows: the slope of the straight line that fits the points best. Pure.

export interface Point {
  x: number
  y: number
}

/** Least squares, in units of y for each of x. Undefined: fewer than two points, or all at one x. */
export function slopeOf(points: readonly Point[]): number | undefined {
  const meanOf = (pick: (point: Point) => number): number =>
    points.reduce((sum, point) => sum + pick(point), 0) / points.length
  const [meanX, meanY] = [meanOf(({ x }) => x), meanOf(({ y }) => y)]
  const spread = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0)
  if (points.length < 2 || spread === 0) return undefined
  return points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread
}

/** Points after the first `share` (0 … 1) of the way from the smallest to the largest x, which must ascend. */
export function afterWarmUp(points: readonly Point[], share: number): Point[] {
  const [first = 0, last = 0] = [points[0]?.x, points.at(-1)?.x]
  return points.filter(({ x }) => x >= first + share * (last - first))
}
