"""A process that publishes what is due, a place in each block, and kills itself after the second block:
python -m tests.story.dying_publisher."""

import os
import signal


def main():
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from nb_catalog.publishing import due_publications, places

    places.BLOCK = 1
    write, written = places._write_block, []

    def write_and_die(*args, **options):
        rows = write(*args, **options)
        written.append(rows)
        if len(written) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return rows

    places._write_block = write_and_die
    due_publications.publish_due()


if __name__ == "__main__":
    main()
