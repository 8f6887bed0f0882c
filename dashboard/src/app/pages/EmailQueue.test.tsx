// The queue of drafts: it goes on by itself, by key, and many are decided about one by one.
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { DRAFTS } from "../../test/emails.ts";
import { decision } from "../../test/examples.ts";
import { routes, sent, serve, show, type Routes } from "../harness.tsx";

function drafts(): Routes {
  return routes({
    "GET /api/emails": () => [200, { items: DRAFTS, next: null }],
    ...Object.fromEntries(
      DRAFTS.map((row) => [`GET /api/emails/${row.episode_id}`, () => [200, row] as [number, unknown]]),
    ),
    "POST /api/decisions": (body) => [201, decision(body as object)],
  });
}

const opened = async (name: string): Promise<void> => {
  await waitFor(() => {
    const shown = screen.getByTestId("email-detail");
    expect(within(shown).getByRole("heading", { level: 2 }).textContent).toContain(name);
  });
};

describe("the queue", () => {
  it("approves by key and opens the next draft by itself", async () => {
    serve(drafts());
    show("/emails/42-20600?state=draft");
    await opened("Ada");
    const user = userEvent.setup();
    await user.keyboard("a");
    await opened("Bo");
    expect(sent[0]?.body).toEqual({
      episode_id: "42-20600",
      action: "approve",
      draft_hash: "hash-42-20600",
      payload: {},
    });
    await user.keyboard("a");
    await opened("Cy");
    expect(sent).toHaveLength(2);
  });

  it("moves by j and k, and decides nothing while they are pressed", async () => {
    serve(drafts());
    show("/emails?state=draft");
    await screen.findByTestId("email-43-20600");
    const user = userEvent.setup();
    await user.keyboard("j");
    await opened("Ada");
    await user.keyboard("jj");
    await opened("Cy");
    await user.keyboard("k");
    await opened("Bo");
    expect(sent).toEqual([]);
  });

  it("rejects with a reason, by key", async () => {
    serve(drafts());
    show("/emails/42-20600?state=draft");
    await opened("Ada");
    const user = userEvent.setup();
    await user.keyboard("r");
    await user.click(await screen.findByLabelText("Why?"));
    await user.paste("Does not sound like us");
    await user.keyboard("{Enter}");
    await opened("Bo");
    expect(sent[0]?.body).toMatchObject({
      action: "reject",
      payload: { reason: "Does not sound like us" },
    });
  });

  it("shows which words an edit adds and removes, and sends the whole wording", async () => {
    serve(drafts());
    show("/emails/42-20600?state=draft");
    await opened("Ada");
    const user = userEvent.setup();
    await user.keyboard("e");
    const body = await screen.findByLabelText("Text");
    await user.clear(body);
    await user.paste("Hello Ada, we kept your old place.");
    expect(screen.getByTestId("tally").textContent).toBe("1 word added, 0 words removed.");
    const save = screen.getByRole<HTMLButtonElement>("button", { name: "Save the draft" });
    expect(save.disabled).toBe(true);
    await user.type(body, " Come and see it again.{Enter}Yours");
    expect(screen.getByTestId("changes").querySelector("ins")?.textContent).toContain("old");
    await user.click(save);
    await waitFor(() => {
      expect(sent[0]?.body).toMatchObject({
        action: "edit",
        payload: { subject: "For you", body: "Hello Ada, we kept your old place. Come and see it again.\nYours" },
      });
    });
  });

  it("leaves the keys alone once they are turned off", async () => {
    serve(drafts());
    show("/emails/42-20600?state=draft");
    await opened("Ada");
    const user = userEvent.setup();
    const box = within(screen.getByTestId("shortcuts")).getByRole("checkbox");
    await user.click(box);
    (document.activeElement as HTMLElement).blur();
    await user.keyboard("a");
    expect(sent).toEqual([]);
    await user.click(box);
  });
});

describe("deciding about many", () => {
  it("says what it does first, then sends one decision for each", async () => {
    serve(drafts());
    show("/emails?state=draft");
    const user = userEvent.setup();
    await user.click(await screen.findByLabelText("Choose all 3 shown"));
    await user.click(screen.getByLabelText("Choose the email to Bo"));
    await user.click(screen.getByRole("button", { name: "Approve chosen…" }));
    expect(screen.getByTestId("bulk-effect").textContent).toContain("2 clients");
    expect(sent).toEqual([]);
    await user.click(screen.getByRole("button", { name: "Approve 2 emails" }));
    await waitFor(() => {
      expect(screen.getByTestId("bulk-progress").textContent).toContain("2 of 2");
    });
    expect(sent.map(({ body }) => (body as { episode_id: string }).episode_id).sort()).toEqual([
      "42-20600",
      "44-20600",
    ]);
  });

  it("names what failed, and sends only that again", async () => {
    let fails = true;
    serve({
      ...drafts(),
      "POST /api/decisions": (body) => {
        const { episode_id } = body as { episode_id: string };
        return fails && episode_id === "43-20600"
          ? [429, { title: "Too Many Requests", status: 429 }]
          : [201, decision(body as object)];
      },
    });
    show("/emails?state=draft");
    const user = userEvent.setup();
    await user.click(await screen.findByLabelText("Choose all 3 shown"));
    await user.click(screen.getByRole("button", { name: "Approve chosen…" }));
    await user.click(screen.getByRole("button", { name: "Approve 3 emails" }));
    const failed = await screen.findByRole("list", { name: "Failed" });
    expect(failed.textContent).toMatch(/Bo.*Too Many Requests.*Wait a moment/);
    fails = false;
    sent.length = 0;
    await user.click(screen.getByRole("button", { name: "Try the failed again" }));
    await waitFor(() => {
      expect(screen.getByTestId("bulk-progress").textContent).toContain("1 of 1");
    });
    expect(sent).toHaveLength(1);
  });
});
