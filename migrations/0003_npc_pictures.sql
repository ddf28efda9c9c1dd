CREATE TABLE "npc_picture_pieces" (
	"picture_id" text NOT NULL,
	"index" integer NOT NULL,
	"data" "bytea" NOT NULL,
	CONSTRAINT "npc_picture_pieces_picture_id_index_pk" PRIMARY KEY("picture_id","index")
);
--> statement-breakpoint
CREATE TABLE "npc_pictures" (
	"id" text PRIMARY KEY NOT NULL,
	"bytes" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "npcs" ADD COLUMN "picture" text;--> statement-breakpoint
ALTER TABLE "npc_picture_pieces" ADD CONSTRAINT "npc_picture_pieces_picture_id_npc_pictures_id_fk" FOREIGN KEY ("picture_id") REFERENCES "public"."npc_pictures"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "npcs" ADD CONSTRAINT "npcs_picture_npc_pictures_id_fk" FOREIGN KEY ("picture") REFERENCES "public"."npc_pictures"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "npcs_picture" ON "npcs" USING btree ("picture");--> statement-breakpoint
-- Pictures that are already there move over, in the pieces of 256 KiB they are written in from now on.
INSERT INTO "npc_pictures" ("id", "bytes", "created_at")
	SELECT 'npcpic_' || "id", octet_length("image"), "created_at" FROM "npcs" WHERE "image" IS NOT NULL;--> statement-breakpoint
INSERT INTO "npc_picture_pieces" ("picture_id", "index", "data")
	SELECT 'npcpic_' || "id", piece, substring("image" FROM piece * 262144 + 1 FOR 262144)
	FROM "npcs", generate_series(0, (octet_length("image") - 1) / 262144) AS piece WHERE "image" IS NOT NULL;--> statement-breakpoint
-- The room of the old column can only be used again once no row holds it.
UPDATE "npcs" SET "picture" = 'npcpic_' || "id", "image" = NULL WHERE "image" IS NOT NULL;--> statement-breakpoint
ALTER TABLE "npcs" DROP COLUMN "image";