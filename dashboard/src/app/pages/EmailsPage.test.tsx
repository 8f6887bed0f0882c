// The page of emails: texts stay inert, and decisions wait for the mailer.
import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { decision, emailDetail } from "../../test/examples.ts";
import { FakeEventSource } from "../../test/fakeEventSource.ts";
import { routes, sent, serve, show } from "../harness.tsx";

const BODY = 'Hello <img src=x onerror="alert(1)"> <script>alert(2)</script>';

describe("the page of emails", () => {
  it("shows the text of an email as text only", async () => {
    const email = {
      subject: "For you",
      body: BODY,
      model: "m",
      provider: "p",
      generation_id: "g",
      prompt_version: "1",
      prompt_hash: "h",
      draft_hash: "d",
      sandbox: true,
      created_at: "2026-11-22T09:00:00Z",
    };
    const written = emailDetail({ state: "written", email });
    serve(routes({ "GET /api/emails/42-20600": () => [200, written] }));
    show("/emails/42-20600");
    const body = await screen.findByTestId("body");
    expect(body.textContent).toBe(BODY);
    expect(body.children).toHaveLength(0);
  });

  it("sends a release and waits until the mailer has moved the row", async () => {
    let state: "held" | "pending" = "held";
    serve(
      routes({
        "GET /api/emails": () => [200, { items: [emailDetail({ state })], next: null }],
        "GET /api/emails/42-20600": () => [200, emailDetail({ state, decisions: [decision()] })],
        "POST /api/decisions": () => [201, decision()],
      }),
    );
    show("/emails?state=held");
    const user = userEvent.setup();
    const card = within(await screen.findByTestId("email-42-20600"));
    await user.click(card.getByRole("button", { name: "Release" }));
    expect(await card.findByRole("button", { name: "Releasing…" })).toBeTruthy();
    expect(sent[0]?.body).toMatchObject({ episode_id: "42-20600", action: "release" });
    state = "pending";
    act(() => {
      FakeEventSource.newest().say("email", {
        episode_id: "42-20600",
        client_id: 42,
        state: "pending",
      });
    });
    await waitFor(() => {
      expect(card.queryByRole("button", { name: "Releasing…" })).toBeNull();
    });
  });
});
