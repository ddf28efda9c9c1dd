CREATE TABLE "npc_entries" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "npc_entries_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"tree" text NOT NULL,
	"parent" bigint,
	"position" integer NOT NULL,
	"at_s" double precision NOT NULL,
	"kind" text NOT NULL,
	"content" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "npc_saves" (
	"id" text PRIMARY KEY NOT NULL,
	"session_id" text NOT NULL,
	"name" text,
	"entry" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "npc_sessions" (
	"id" text PRIMARY KEY NOT NULL,
	"npc_id" text NOT NULL,
	"player" text NOT NULL,
	"player_name" text NOT NULL,
	"character" jsonb NOT NULL,
	"beginning" jsonb NOT NULL,
	"seed" bigint NOT NULL,
	"tree" text NOT NULL,
	"head" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"position" bigint GENERATED ALWAYS AS IDENTITY (sequence name "npc_sessions_position_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1)
);
--> statement-breakpoint
CREATE TABLE "npc_tokens" (
	"hash" text PRIMARY KEY NOT NULL,
	"session_id" text NOT NULL,
	"allows" text[] NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "npcs" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"character" jsonb NOT NULL,
	"card" text,
	"image" "bytea",
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"position" bigint GENERATED ALWAYS AS IDENTITY (sequence name "npcs_position_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1)
);
--> statement-breakpoint
ALTER TABLE "npc_entries" ADD CONSTRAINT "npc_entries_parent_npc_entries_id_fk" FOREIGN KEY ("parent") REFERENCES "public"."npc_entries"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "npc_saves" ADD CONSTRAINT "npc_saves_session_id_npc_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."npc_sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "npc_saves" ADD CONSTRAINT "npc_saves_entry_npc_entries_id_fk" FOREIGN KEY ("entry") REFERENCES "public"."npc_entries"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "npc_sessions" ADD CONSTRAINT "npc_sessions_npc_id_npcs_id_fk" FOREIGN KEY ("npc_id") REFERENCES "public"."npcs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "npc_sessions" ADD CONSTRAINT "npc_sessions_head_npc_entries_id_fk" FOREIGN KEY ("head") REFERENCES "public"."npc_entries"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "npc_tokens" ADD CONSTRAINT "npc_tokens_session_id_npc_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."npc_sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "npc_entries_tree" ON "npc_entries" USING btree ("tree");--> statement-breakpoint
CREATE INDEX "npc_entries_parent" ON "npc_entries" USING btree ("parent");--> statement-breakpoint
CREATE INDEX "npc_saves_session" ON "npc_saves" USING btree ("session_id","created_at");--> statement-breakpoint
CREATE INDEX "npc_sessions_npc" ON "npc_sessions" USING btree ("npc_id","position");--> statement-breakpoint
CREATE INDEX "npc_sessions_player" ON "npc_sessions" USING btree ("npc_id","player","updated_at");--> statement-breakpoint
CREATE INDEX "npc_sessions_tree" ON "npc_sessions" USING btree ("tree");--> statement-breakpoint
CREATE INDEX "npc_tokens_session" ON "npc_tokens" USING btree ("session_id");--> statement-breakpoint
CREATE INDEX "npc_tokens_expires" ON "npc_tokens" USING btree ("expires_at");