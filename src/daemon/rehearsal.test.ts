import { expect, it } from "vitest";
import { type Duration, ms, seconds } from "../kit/time.ts";
import { rehearse } from "./rehearsal.ts";
import { rehearseDelivery } from "./rehearsed-delivery.ts";

it.each<Duration>([ms(50), ms(200), ms(500), seconds(1), seconds(2), seconds(5)])(
  "a rehearsal at a beat every %d ms tells of the death of an imaginary host and of its return, once each",
  (period) => {
    const titles = rehearse(period).map(({ title }) => title);
    expect(titles).toEqual(["rehearsal-3 is down", "rehearsal-3 is back"]);
  },
);

it("a rehearsed message goes out over HTTP, to this process itself", async () => {
  for (const message of rehearse())
    expect(await rehearseDelivery(message)).toMatchObject({ outcome: "delivered" });
});
