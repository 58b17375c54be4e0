/* capstan: argv to the subcommand table. */
int main(void)
{
    return 0;
}
